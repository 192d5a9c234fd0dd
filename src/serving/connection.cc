#include "serving/connection.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace coeval::serving {
namespace {

constexpr std::size_t kReadBytes = 64u << 10;

/// recv(2) without waiting: bytes, 0 at the end, -1 nothing there yet, -2 the peer is gone.
ssize_t receive_some(int fd, char* into, std::size_t size) {
  for (;;) {
    const ssize_t got = ::recv(fd, into, size, MSG_DONTWAIT);
    if (got >= 0) return got;
    if (errno == EINTR) continue;
    return errno == EAGAIN || errno == EWOULDBLOCK ? -1 : -2;
  }
}

}  // namespace

Connection::Connection(int fd, std::uint64_t id, RequestParser::Limits limits)
    : fd_(fd), id_(id), parser_(limits) {}

Connection::~Connection() { ::close(fd_); }

bool Connection::receive(std::size_t max_bytes) {
  std::array<char, kReadBytes> block;
  for (std::size_t total = 0; total < max_bytes;) {
    const ssize_t got = receive_some(fd_, block.data(), block.size());
    if (got == -2) return false;
    if (got == 0) ended_ = true;
    if (got <= 0) return true;
    in_.append(block.data(), static_cast<std::size_t>(got));
    total += static_cast<std::size_t>(got);
    if (static_cast<std::size_t>(got) < block.size())
      return true;  // level-triggered: no need to ask again
  }
  return true;
}

void Connection::parse() {
  parsed_ += parser_.parse(std::string_view(in_).substr(parsed_));
  if (parsed_ == in_.size()) {
    in_.clear();
    parsed_ = 0;
  } else if (parsed_ >= kReadBytes) {
    in_.erase(0, parsed_);
    parsed_ = 0;
  }
}

bool Connection::has_partial_request() const {
  return has_input() || parser_.phase() == RequestParser::Phase::header ||
         parser_.phase() == RequestParser::Phase::body;
}

bool Connection::send() {
  while (sent_ < out_.size()) {
    const ssize_t put =
        ::send(fd_, out_.data() + sent_, out_.size() - sent_, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (put >= 0) {
      sent_ += static_cast<std::size_t>(put);
      continue;
    }
    if (errno == EINTR) continue;
    return errno == EAGAIN || errno == EWOULDBLOCK;
  }
  out_.clear();
  sent_ = 0;
  return true;
}

void Connection::linger() {
  ::shutdown(fd_, SHUT_WR);
  lingering = true;
  in_.clear();
  parsed_ = 0;
}

bool Connection::discard(std::size_t max_bytes) {
  std::array<char, kReadBytes> block;
  for (std::size_t total = 0; total < max_bytes;) {
    const ssize_t got = receive_some(fd_, block.data(), block.size());
    if (got == -1) return true;
    if (got <= 0) return false;
    total += static_cast<std::size_t>(got);
  }
  return true;
}

}  // namespace coeval::serving
