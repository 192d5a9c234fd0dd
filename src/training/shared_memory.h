#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <utility>

#include "base/error.h"

namespace coeval::training {

/// Memory that a child process can be given by its descriptor, so that rows reach it without a file
/// and without a copy: a memfd, mapped. Its size is fixed, and it is gone with the last process
/// that holds it, however that ends. Threading: as of any memory.
class SharedMemory {
 public:
  SharedMemory() = default;
  /// Zeroes. `name` is what /proc shows. Errors: io, also for want of memory.
  static Result<SharedMemory> create(const std::string& name, std::size_t bytes);
  /// A sealed copy. Errors: those of create.
  static Result<SharedMemory> copy_of(const std::string& name, std::span<const std::byte> bytes);
  enum class Access { read, write };
  /// The child's side: maps what it was given as descriptor `fd`, which stays open. Errors: io;
  /// bad_file when it has less than `bytes`.
  static Result<SharedMemory> given(int fd, std::size_t bytes, Access access);

  SharedMemory(SharedMemory&& other) noexcept { swap(other); }
  SharedMemory& operator=(SharedMemory&& other) noexcept {
    swap(other);
    return *this;
  }
  ~SharedMemory();

  /// From now on nobody who is given it can write to it. The mapping that is there still can.
  /// Errors: io.
  Status seal() const;

  /// Page-aligned, so any arithmetic type may lie in it. Null where there are no bytes.
  std::byte* data() { return data_; }
  const std::byte* data() const { return data_; }
  std::size_t size() const { return bytes_; }
  int fd() const { return fd_; }

 private:
  SharedMemory(int fd, std::size_t bytes) : fd_(fd), bytes_(bytes) {}
  Status map(Access access);
  void swap(SharedMemory& other) {
    std::swap(fd_, other.fd_);
    std::swap(owned_, other.owned_);
    std::swap(data_, other.data_);
    std::swap(bytes_, other.bytes_);
  }

  int fd_ = -1;
  bool owned_ = true;  // the descriptor
  std::byte* data_ = nullptr;
  std::size_t bytes_ = 0;
};

/// Floats in shared memory, as many as it was made with.
class SharedFloats {
 public:
  SharedFloats() = default;
  /// Zeroes. Errors: those of SharedMemory::create.
  static Result<SharedFloats> create(const std::string& name, std::size_t count);

  float* data() { return reinterpret_cast<float*>(memory_.data()); }
  const float* data() const { return reinterpret_cast<const float*>(memory_.data()); }
  std::size_t size() const { return memory_.size() / sizeof(float); }
  const float* begin() const { return data(); }
  const float* end() const { return data() + size(); }
  float operator[](std::size_t index) const { return data()[index]; }
  const SharedMemory& memory() const { return memory_; }

 private:
  explicit SharedFloats(SharedMemory memory) : memory_(std::move(memory)) {}
  SharedMemory memory_;
};

}  // namespace coeval::training
