#pragma once

#include "serving/engine.h"
#include "serving/http_message.h"

namespace coeval::serving {

/// From a request to its answer: routing, query parameters, the engine. No sockets. Threading: the
/// engine's.
class RequestHandler {
 public:
  explicit RequestHandler(Engine& engine) : engine_(engine) {}
  /// `draining` makes readiness 503.
  Response handle(const Request& request, bool draining);

 private:
  Response dispatch(const struct RouteMatch& match, const struct Target& target,
                    const Request& request, bool draining);
  Response health(bool live_only, bool draining) const;
  Engine& engine_;
};

}  // namespace coeval::serving
