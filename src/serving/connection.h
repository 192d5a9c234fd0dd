#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "serving/request_parser.h"

namespace coeval::serving {

/// One client's connection: its socket, what came and is not parsed yet, what is to be sent.
/// Owns the socket. Threading: the reactor's.
class Connection {
 public:
  Connection(int fd, std::uint64_t id, RequestParser::Limits limits);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// Reads what is there, at most `max_bytes`. False when the peer is gone.
  bool receive(std::size_t max_bytes);
  /// Advances the parser over what was received.
  void parse();
  /// Sends what the socket takes. False when the peer is gone.
  bool send();
  /// Says that nothing more will be sent, and from now on throws away what comes: closing a socket
  /// with unread bytes resets it, and the peer may lose the answer that it has not read yet.
  void linger();
  /// Reads and drops, at most `max_bytes`. False when the peer has closed.
  bool discard(std::size_t max_bytes);

  int fd() const { return fd_; }
  std::uint64_t id() const { return id_; }
  RequestParser& parser() { return parser_; }
  std::string& out() { return out_; }
  std::size_t unsent() const { return out_.size() - sent_; }
  bool has_input() const { return parsed_ < in_.size(); }
  /// In the middle of a request, or with bytes of one.
  bool has_partial_request() const;
  /// The peer will send nothing more.
  bool ended() const { return ended_; }
  /// Memory held for input.
  std::size_t held() const { return in_.size() - parsed_ + parser_.held(); }

  // Kept by the reactor.
  bool lingering = false;
  bool close_after_send = false;   ///< no further request is taken
  bool touched = false;            ///< in this round
  std::uint32_t in_round = 0;      ///< answers queued in this round,
  std::size_t in_round_bytes = 0;  ///< and their size
  bool held_back = false;          ///< requests wait until the peer has read more of its answers
  std::uint32_t watched = 0;       ///< epoll events asked for
  std::size_t counted = 0;         ///< of held(), what the reactor has counted
  std::uint8_t waiting = 0;        ///< for what, since the deadline was set
  double deadline_s = 0;
  double timer_s = 0;  ///< when the wheel will next look at this connection

 private:
  int fd_;
  std::uint64_t id_;
  RequestParser parser_;
  std::string in_;
  std::size_t parsed_ = 0;
  std::string out_;
  std::size_t sent_ = 0;
  bool ended_ = false;
};

}  // namespace coeval::serving
