#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace coeval::replay {

/// One answer of the server.
struct HttpAnswer {
  int status = 0;
  std::string_view body;  ///< valid until the callback returns
};

/// A pipelining HTTP/1.1 client of one keep-alive connection: requests go out without waiting for
/// the answers before them, answers come back in order. Never deadlocks: while it cannot send it
/// reads.
///
/// Bounds: at most `max_in_flight` requests unanswered. Threading: one thread.
class HttpPipe {
 public:
  using OnAnswer = std::function<Status(const HttpAnswer&)>;
  /// `url` is http://host:port. Errors: usage for another shape; unavailable.
  static Result<HttpPipe> connect(const std::string& url, std::size_t max_in_flight,
                                  OnAnswer on_answer);
  HttpPipe(HttpPipe&& other) noexcept;
  HttpPipe& operator=(HttpPipe&&) = delete;
  ~HttpPipe();

  /// Queues a GET. Errors: unavailable when the connection broke; those of the callback.
  Status get(std::string_view target);
  /// Queues a POST of JSON. Errors as of get().
  Status post(std::string_view target, std::string_view body);
  /// Sends everything and waits for every answer.
  Status finish();

 private:
  HttpPipe(int fd, std::string host, std::size_t max_in_flight, OnAnswer on_answer)
      : fd_(fd),
        host_(std::move(host)),
        max_in_flight_(max_in_flight),
        on_answer_(std::move(on_answer)) {}
  Status queued();
  Status pump(std::size_t until_in_flight, bool send_all);
  Status send_some();
  Status read_some();
  Status take_answers();

  int fd_;
  std::string host_;
  std::size_t max_in_flight_;
  OnAnswer on_answer_;
  std::string out_, in_;
  std::size_t sent_ = 0, in_flight_ = 0;
};

}  // namespace coeval::replay
