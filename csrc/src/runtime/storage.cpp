// Reference-counted memory. A block holds its Storage in its first 64 bytes and the elements after.
//
// Small blocks are recycled through lists of the freeing thread, by power-of-two size: an eager op
// on small arrays, and a small tape, then cost no call of the allocator. A list is bounded in
// bytes, and the thread's end frees it. Borrowed memory has a block without elements.
#include "fusegrad/storage.h"

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <new>

#include "fusegrad/block.h"
#include "fusegrad/error.h"
#include "runtime/storage.h"

namespace fusegrad {
namespace {

constexpr int64_t kHeader = kAlignment;
constexpr int kMinLog = 7;               // 128 bytes: header and 64 bytes of elements
constexpr int kNumClasses = 12;          // up to 256 KiB
constexpr int64_t kKeptBytes = 1 << 18;  // in one list

// Recycling would hide a use after free from the sanitizer.
#if defined(__SANITIZE_ADDRESS__)
constexpr bool kRecycle = false;
#else
constexpr bool kRecycle = true;
#endif

struct FreeBlock {
  FreeBlock* next;
};

// Trivially constructed and destroyed: usable at any time of a thread's life.
struct FreeLists {
  FreeBlock* head[kNumClasses];
  int count[kNumClasses];
  bool open;    // the janitor below exists
  bool closed;  // and has run
};

thread_local FreeLists free_lists;

struct Janitor {
  void start() { free_lists.open = true; }
  ~Janitor() {
    free_lists.closed = true;
    for (FreeBlock*& head : free_lists.head) {
      while (head != nullptr) std::free(std::exchange(head, head->next));
    }
  }
};

void open_lists() {
  static thread_local Janitor janitor;
  janitor.start();
}

// The list of blocks that hold `total` bytes, or kNumClasses.
int size_class(int64_t total) {
  if (total <= int64_t{1} << kMinLog) return 0;
  const int log = 64 - __builtin_clzll(static_cast<uint64_t>(total - 1));
  return log - kMinLog < kNumClasses ? log - kMinLog : kNumClasses;
}

}  // namespace

void* take_block(int64_t total) noexcept {
  const int index = size_class(total);
  if (kRecycle && index < kNumClasses) {
    FreeBlock*& head = free_lists.head[index];
    if (head != nullptr) {
      --free_lists.count[index];
      return std::exchange(head, head->next);
    }
    total = int64_t{1} << (kMinLog + index);
  }
  const int64_t rounded = (total + kAlignment - 1) / kAlignment * kAlignment;
  return std::aligned_alloc(static_cast<size_t>(kAlignment), static_cast<size_t>(rounded));
}

void give_block(void* block, int64_t total) noexcept {
  const int index = size_class(total);
  if (!kRecycle || index >= kNumClasses || free_lists.closed ||
      (static_cast<int64_t>(free_lists.count[index]) << (kMinLog + index)) >= kKeptBytes) {
    std::free(block);
    return;
  }
  if (!free_lists.open) open_lists();
  FreeBlock* entry = ::new (block) FreeBlock{free_lists.head[index]};
  free_lists.head[index] = entry;
  ++free_lists.count[index];
}

std::string allocation_failure(double bytes) {
  static constexpr const char* kUnits[] = {"bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  int unit = 0;
  // A size that three digits would round up to 1024 is one of the next unit.
  while (unit < 6 && bytes >= 1023.5) {
    bytes /= 1024;
    ++unit;
  }
  char text[64];
  const char* format = unit == 0 ? "%.0f %s" : bytes < 999.5 ? "%#.3g %s" : "%.0f %s";
  std::snprintf(text, sizeof text, format, bytes, kUnits[unit]);
  return std::string("Unable to allocate ") + text;
}

Storage* Storage::allocate(int64_t bytes) {
  static_assert(sizeof(Storage) <= kHeader, "the header holds a Storage");
  void* block = nullptr;
  if (bytes >= 0 && bytes <= INT64_MAX - 2 * kHeader) block = take_block(bytes + kHeader);
  if (block == nullptr) throw AllocationError(allocation_failure(static_cast<double>(bytes)));
  Storage* storage = ::new (block) Storage();
  storage->data_ = static_cast<char*>(block) + kHeader;
  storage->bytes_ = bytes;
  return storage;
}

Storage* Storage::borrow(void* data, int64_t bytes, void* owner, void (*release)(void*)) {
  void* block = take_block(kHeader);
  if (block == nullptr) throw AllocationError(allocation_failure(static_cast<double>(kHeader)));
  Storage* storage = ::new (block) Storage();
  storage->data_ = data;
  storage->bytes_ = bytes;
  storage->owner_ = owner;
  storage->release_ = release;
  return storage;
}

void Storage::destroy(Storage* storage) {
  const bool own = storage->data_ == reinterpret_cast<char*>(storage) + kHeader;
  const int64_t total = kHeader + (own ? storage->bytes_ : 0);
  if (storage->release_ != nullptr) storage->release_(storage->owner_);
  storage->~Storage();
  give_block(storage, total);
}

}  // namespace fusegrad
