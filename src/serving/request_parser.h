#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "base/error.h"
#include "serving/http_message.h"

namespace coeval::serving {

/// Bytes of one connection in, whole HTTP/1.x requests out. Pure: no sockets, no clock.
///
/// Strict, because two parsers that disagree about where a request ends are a security hole:
/// conflicting or repeated lengths, transfer codings other than chunked, a missing or repeated
/// Host, folded fields, control bytes and bare line feeds are refused. After an error the
/// connection cannot go on.
class RequestParser {
 public:
  struct Limits {
    std::uint32_t header_bytes = 16u << 10;
    std::uint64_t body_bytes = 16u << 20;
  };
  enum class Phase : std::uint8_t {
    idle,    ///< between requests: nothing has come
    header,  ///< a request has begun
    body,
    complete,  ///< take() it
    failed,    ///< error() says why
  };

  explicit RequestParser(Limits limits);
  ~RequestParser();

  /// Parses from the front of `bytes` until a request is complete or they run out; returns how many
  /// were used. The rest must come again, with more behind it. Does nothing once complete or
  /// failed.
  std::size_t parse(std::string_view bytes);

  Phase phase() const { return phase_; }
  /// The client waits for "100 Continue" before it sends the body. True once a request.
  bool wants_continue();
  /// The complete request; the parser is idle again.
  Request take();
  /// Codes: bad_request, body_too_large, header_too_large, unsupported.
  const Error& error() const { return error_; }
  /// Body bytes held.
  std::size_t held() const { return request_.body.size(); }

 private:
  class Beast;
  friend class Beast;
  void fail_with(Code code, std::string message, std::string advice);
  void begin();
  std::size_t parse_step(std::string_view bytes);

  Limits limits_;
  Phase phase_ = Phase::idle;
  std::unique_ptr<Beast> beast_;
  std::size_t header_used_ = 0;
  Request request_;
  bool expects_continue_ = false;
  Error error_;
};

}  // namespace coeval::serving
