// A counted pointer to an immutable object that counts itself: one word, so that a tree of millions stays
// small.
#pragma once

#include <utility>

namespace quorate::zone {

// T has `void Ref() const` and `void Unref() const`; the latter destroys it with the last reference. Both are
// safe from any thread.
template <class T>
class RefPtr {
 public:
  RefPtr() = default;
  // Takes over the reference that `raw` was made with.
  static RefPtr Adopt(T* raw) {
    RefPtr out;
    out.raw_ = raw;
    return out;
  }
  static RefPtr Share(T* raw) {
    if (raw != nullptr) raw->Ref();
    return Adopt(raw);
  }
  RefPtr(const RefPtr& other) : raw_(other.raw_) {
    if (raw_ != nullptr) raw_->Ref();
  }
  RefPtr(RefPtr&& other) noexcept : raw_(std::exchange(other.raw_, nullptr)) {}
  RefPtr& operator=(RefPtr other) noexcept {
    std::swap(raw_, other.raw_);
    return *this;
  }
  ~RefPtr() {
    if (raw_ != nullptr) raw_->Unref();
  }

  T* get() const { return raw_; }
  T* operator->() const { return raw_; }
  T& operator*() const { return *raw_; }
  explicit operator bool() const { return raw_ != nullptr; }
  // Gives the reference to the caller.
  T* Release() { return std::exchange(raw_, nullptr); }

 private:
  T* raw_ = nullptr;
};

}  // namespace quorate::zone
