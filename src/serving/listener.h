#pragma once

#include <cstdint>
#include <string>

#include "base/error.h"

namespace coeval::serving {

/// A file descriptor that is closed when dropped.
class OwnedFd {
 public:
  explicit OwnedFd(int fd = -1) : fd_(fd) {}
  ~OwnedFd() { reset(); }
  OwnedFd(OwnedFd&& other) noexcept : fd_(other.fd_) { other.fd_ = -1; }
  OwnedFd& operator=(OwnedFd&& other) noexcept;
  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  void reset(int fd = -1);

 private:
  int fd_;
};

/// A socket that listens, non-blocking. Errors: io naming the address.
struct Listener {
  OwnedFd fd;
  std::uint16_t port = 0;
};
Result<Listener> listen_on(const std::string& address, std::uint16_t port);

/// A new connection, non-blocking: its descriptor; -1 when none waits; -2 when descriptors have run
/// out and a connection waits.
int accept_one(int listener);

}  // namespace coeval::serving
