#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/error.h"
#include "serving/engine.h"

namespace coeval::serving {

struct ServerOptions {
  std::string address = "127.0.0.1";
  std::uint16_t port = 8080;           ///< 0 = any free one
  std::uint64_t max_body_bytes = 16u << 20;
  std::uint32_t max_header_bytes = 16u << 10;
  std::uint32_t max_connections = 1024;
  std::uint32_t max_pipelined = 256;   ///< requests of one connection answered in one round
  double header_timeout_s = 10, body_timeout_s = 30, idle_timeout_s = 75;
  double drain_s = 5;                  ///< at most, after SIGTERM
};

/// HTTP/1.1 with keep-alive and pipelining on one reactor thread. Each readiness round: read what is
/// there, run every complete request through the engine, commit once, send the answers.
class HttpServer {
 public:
  HttpServer(Engine& engine, ServerOptions options);
  ~HttpServer();
  /// Binds. Errors: io with the address (in use, not permitted).
  Status bind();
  std::uint16_t port() const;
  /// Serves until stop(); then readiness answers 503, admitted requests finish, connections close, the
  /// log is committed and a snapshot forced.
  Status run();
  /// Any thread, and safe in a signal handler's thread.
  void stop();
  /// Runs `task` on the reactor thread between two rounds.
  void post(std::function<void()> task);

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace coeval::serving
