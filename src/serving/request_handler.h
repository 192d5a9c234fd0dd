#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "serving/engine.h"
#include "serving/http_message.h"

namespace coeval::serving {

/// From a request to its answer: routing, query parameters, the engine. No sockets. Threading: the
/// engine's.
class RequestHandler {
 public:
  explicit RequestHandler(Engine& engine) : engine_(engine) {}
  /// Where the server listens, "127.0.0.1:8080": shown to a client that does not say how it came.
  void set_address(std::string address) { address_ = std::move(address); }
  /// The most bytes of a body when it is decoded.
  void set_max_body_bytes(std::uint64_t bytes) { max_body_bytes_ = bytes; }
  /// `draining` makes readiness 503. Takes the body of the request.
  Response handle(Request& request, bool draining);

 private:
  Response dispatch(const struct RouteMatch& match, const struct Target& target,
                    const Request& request, bool draining);
  Response health(bool live_only, bool draining) const;
  Engine& engine_;
  std::string address_;
  std::uint64_t max_body_bytes_ = 16u << 20;
};

}  // namespace coeval::serving
