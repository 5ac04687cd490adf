// Storage: reference-counted bytes, 64-byte aligned when allocated here, or borrowed from an owner
// that a deleter releases.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <utility>

#include "fusegrad/api.h"

namespace fusegrad {

constexpr int64_t kAlignment = 64;

class FUSEGRAD_API Storage {
 public:
  // Uninitialised memory; raises AllocationError naming the size.
  static Storage* allocate(int64_t bytes);
  // Memory of another owner; `release(owner)` is called when the last reference goes.
  static Storage* borrow(void* data, int64_t bytes, void* owner, void (*release)(void*));

  void* data() const { return data_; }
  int64_t bytes() const { return bytes_; }

  // Whether there is another reference than the caller's.
  bool shared() const { return references_.load(std::memory_order_acquire) > 1; }
  void retain() { references_.fetch_add(1, std::memory_order_relaxed); }
  void drop() {
    // Who holds the only reference sees no other appear: then no locked instruction is needed.
    if (references_.load(std::memory_order_acquire) == 1 ||
        references_.fetch_sub(1, std::memory_order_acq_rel) == 1) {
      destroy(this);
    }
  }

 private:
  Storage() = default;
  static void destroy(Storage* storage);

  std::atomic<int64_t> references_{1};
  void* data_ = nullptr;
  int64_t bytes_ = 0;
  void* owner_ = nullptr;
  void (*release_)(void*) = nullptr;
};

// Intrusive pointer to a Storage.
class StoragePtr {
 public:
  StoragePtr() = default;
  explicit StoragePtr(Storage* adopted) : storage_(adopted) {}
  StoragePtr(const StoragePtr& other) : storage_(other.storage_) {
    if (storage_ != nullptr) storage_->retain();
  }
  StoragePtr(StoragePtr&& other) noexcept : storage_(std::exchange(other.storage_, nullptr)) {}
  StoragePtr& operator=(StoragePtr other) noexcept {
    std::swap(storage_, other.storage_);
    return *this;
  }
  ~StoragePtr() {
    if (storage_ != nullptr) storage_->drop();
  }
  Storage* get() const { return storage_; }
  explicit operator bool() const { return storage_ != nullptr; }

 private:
  Storage* storage_ = nullptr;
};

}  // namespace fusegrad
