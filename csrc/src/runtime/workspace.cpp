// One block of scratch a thread, freed when the thread ends.
#include "fusegrad/workspace.h"

#include <cstdlib>
#include <string>

#include "fusegrad/error.h"
#include "fusegrad/storage.h"

namespace fusegrad {
namespace {

struct Workspace {
  void* data = nullptr;
  int64_t bytes = 0;
  ~Workspace() { std::free(data); }
};

}  // namespace

void* thread_workspace(int64_t bytes) {
  static thread_local Workspace workspace;
  if (bytes > workspace.bytes || workspace.data == nullptr) {
    // Growth in steps of a half, so that a slowly rising demand does not allocate each time.
    constexpr int64_t kPage = 4096;
    int64_t size = workspace.bytes + workspace.bytes / 2;
    if (size < bytes) size = bytes;
    size = checked_add(size, kPage) / kPage * kPage;
    std::free(workspace.data);
    workspace.data = std::aligned_alloc(static_cast<size_t>(kAlignment), static_cast<size_t>(size));
    workspace.bytes = workspace.data == nullptr ? 0 : size;
    if (workspace.data == nullptr) {
      throw AllocationError("Unable to allocate " + std::to_string(size) +
                            " bytes of scratch memory");
    }
  }
  return workspace.data;
}

}  // namespace fusegrad
