#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"

namespace coeval::serving {

/// Every address of the server. docs/openapi.yaml describes the same list; a test compares them.
enum class RouteId : std::uint8_t {
  status_page,
  predict,
  rank,
  events,
  prediction,
  models,
  metrics,
  v2_metadata,
  v2_live,
  v2_ready,
};

struct Route {
  RouteId id;
  std::string_view method;  ///< "GET" (HEAD comes with it) or "POST"
  std::string_view path;    ///< "/v1/predict/{model}"; a segment in braces is the parameter
  std::string_view query;   ///< allowed query parameters, separated by spaces
};
std::span<const Route> routes();

/// The parts of a request target.
struct Target {
  std::string path;                                        ///< percent-encoding kept
  std::vector<std::pair<std::string, std::string>> query;  ///< decoded
  const std::string* find(std::string_view key) const;
};
/// Reads "/path?key=value&…" and the absolute form "http://host/path". Errors: bad_request.
Result<Target> parse_target(std::string_view target);

/// The route of a request.
struct RouteMatch {
  const Route* route = nullptr;
  std::string parameter;  ///< decoded; matches [A-Za-z0-9_.-]+
};
/// Errors: not_found; method_not_allowed, with the methods that exist in `allow`; unknown_key for a
/// query parameter that the route does not have.
Result<RouteMatch> match_route(std::string_view method, const Target& target, std::string* allow);

}  // namespace coeval::serving
