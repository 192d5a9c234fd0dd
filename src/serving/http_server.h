#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/error.h"
#include "serving/engine.h"

namespace coeval::serving {

struct ServerOptions {
  std::string address = "127.0.0.1";  ///< an IPv4 or IPv6 address, or "localhost"
  std::uint16_t port = 8080;          ///< 0 = any free one
  std::uint64_t max_body_bytes = 16u << 20;
  std::uint32_t max_header_bytes = 16u << 10;
  std::uint32_t max_connections = 1024;
  std::uint32_t max_pipelined = 256;  ///< requests of one connection answered in one round
  std::uint64_t max_buffered_bytes = 256u
                                     << 20;  ///< of requests that have not wholly arrived, in all
  double header_timeout_s = 10, body_timeout_s = 30, idle_timeout_s = 75;
  double drain_s = 5;     ///< at most, after SIGTERM
  double grace_s = 0.25;  ///< of those, how long connections and the listener stay open
};

/// HTTP/1.1 with keep-alive and pipelining on one reactor thread. Each readiness round: read what
/// is there, run every complete request through the engine, commit once, send the answers.
///
/// Full: beyond max_connections a client gets 503 with Retry-After and is closed; beyond
/// max_buffered_bytes the connection that would grow does. A client that does not read its answers
/// is not read from either.
class HttpServer {
 public:
  HttpServer(Engine& engine, ServerOptions options);
  ~HttpServer();
  /// Binds. Errors: io with the address (in use, not permitted).
  Status bind();
  std::uint16_t port() const;
  /// Serves until stop(). Then, for grace_s: readiness answers 503, requests are answered with
  /// "Connection: close"; after it the listener and idle connections are closed and what was begun
  /// may finish, until drain_s. At the end the log is synced and a snapshot forced.
  Status run();
  /// Any thread, and safe in a signal handler.
  void stop();
  /// Runs `task` on the reactor thread between two rounds.
  void post(std::function<void()> task);

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace coeval::serving
