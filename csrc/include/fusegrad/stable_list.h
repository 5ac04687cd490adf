// StableList: a list that grows at its end and never moves an element.
//
// Elements lie in chunks of a power of two, so that a tape costs an allocation for every few nodes
// and frees all it kept at once.
#pragma once

#include <cstddef>
#include <new>
#include <utility>
#include <vector>

#include "fusegrad/block.h"

namespace fusegrad {

template <typename T>
class StableList {
 public:
  StableList() = default;
  // Delegates, so that the destructor runs where a copy raises.
  StableList(const StableList& other) : StableList() {
    for (size_t i = 0; i < other.size(); ++i) emplace_back(other[i]);
  }
  StableList(StableList&& other) noexcept
      : chunks_(std::move(other.chunks_)), size_(std::exchange(other.size_, 0)) {
    other.chunks_.clear();
  }
  StableList& operator=(StableList other) noexcept {
    std::swap(chunks_, other.chunks_);
    std::swap(size_, other.size_);
    return *this;
  }
  ~StableList() {
    while (size_ > 0) pop_back();
    for (T* chunk : chunks_) give_block(chunk, kBytes);
  }

  size_t size() const { return size_; }
  const T& operator[](size_t i) const { return chunks_[i / kChunk][i % kChunk]; }
  T& operator[](size_t i) { return chunks_[i / kChunk][i % kChunk]; }
  T& back() { return (*this)[size_ - 1]; }

  template <typename... Arguments>
  T& emplace_back(Arguments&&... arguments) {
    if (size_ == chunks_.size() * kChunk) grow();
    T* const place = chunks_[size_ / kChunk] + size_ % kChunk;
    ::new (static_cast<void*>(place)) T(std::forward<Arguments>(arguments)...);
    ++size_;
    return *place;
  }
  void pop_back() { (*this)[--size_].~T(); }

 private:
  static constexpr size_t kChunk = 32;
  static constexpr int64_t kBytes = static_cast<int64_t>(kChunk * sizeof(T));
  static_assert(alignof(T) <= 64, "blocks have that alignment");

  void grow() {
    chunks_.reserve(chunks_.size() + 1);
    void* const chunk = take_block(kBytes);
    if (chunk == nullptr) throw std::bad_alloc();
    chunks_.push_back(static_cast<T*>(chunk));
  }

  std::vector<T*> chunks_;
  size_t size_ = 0;
};

}  // namespace fusegrad
