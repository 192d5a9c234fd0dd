#include "serving/routes.h"

#include <algorithm>
#include <array>
#include <optional>

#include "define/diagnostics.h"

namespace coeval::serving {
namespace {

constexpr std::array kRoutes = {
    Route{RouteId::status_page, "GET", "/", ""},
    Route{RouteId::predict, "POST", "/v1/predict/{model}", "features now"},
    Route{RouteId::rank, "POST", "/v1/rank/{model}", "features now"},
    Route{RouteId::events, "POST", "/v1/events/{source}", "now"},
    Route{RouteId::prediction, "GET", "/v1/predictions/{id}", ""},
    Route{RouteId::models, "GET", "/v1/models", ""},
    Route{RouteId::metrics, "GET", "/metrics", ""},
    Route{RouteId::v2_metadata, "GET", "/v2", ""},
    Route{RouteId::v2_metadata, "GET", "/v2/", ""},
    Route{RouteId::v2_live, "GET", "/v2/health/live", ""},
    Route{RouteId::v2_ready, "GET", "/v2/health/ready", ""},
};

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::optional<std::string> decode_percent(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    if (i + 2 >= text.size()) return std::nullopt;
    const int high = hex_digit(text[i + 1]), low = hex_digit(text[i + 2]);
    if (high < 0 || low < 0) return std::nullopt;
    out += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return out;
}

std::unexpected<Error> bad_encoding() {
  return fail(Code::bad_request, "the address has a malformed percent escape",
              "write %XX with hex digits");
}

bool is_name(std::string_view text) {
  constexpr std::string_view kNameBytes =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-";
  return !text.empty() && text.find_first_not_of(kNameBytes) == std::string_view::npos;
}

/// The text that stands where the pattern has a parameter, when the path fits the pattern.
std::optional<std::string> fit(std::string_view pattern, std::string_view path) {
  const std::size_t brace = pattern.find('{');
  if (brace == std::string_view::npos) {
    return pattern == path ? std::optional<std::string>("") : std::nullopt;
  }
  if (!path.starts_with(pattern.substr(0, brace))) return std::nullopt;
  auto parameter = decode_percent(path.substr(brace));
  if (!parameter || !is_name(*parameter)) return std::nullopt;
  return parameter;
}

bool has_word(std::string_view words, std::string_view word) {
  while (!words.empty()) {
    const std::size_t end = std::min(words.find(' '), words.size());
    if (words.substr(0, end) == word) return true;
    words.remove_prefix(std::min(end + 1, words.size()));
  }
  return false;
}

Status check_query(const Route& route, const Target& target) {
  for (const auto& [key, value] : target.query) {
    if (has_word(route.query, key)) continue;
    return fail(Code::unknown_key, "unknown query parameter " + define::in_quotes(key),
                route.query.empty() ? "this address takes none"
                                    : "this address takes: " + std::string(route.query));
  }
  return {};
}

bool method_fits(std::string_view asked, const Route& route) {
  return asked == route.method || (asked == "HEAD" && route.method == "GET");
}

}  // namespace

std::span<const Route> routes() { return kRoutes; }

const std::string* Target::find(std::string_view key) const {
  for (const auto& [name, value] : query) {
    if (name == key) return &value;
  }
  return nullptr;
}

Result<Target> parse_target(std::string_view target) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (!target.starts_with(scheme)) continue;
    const std::size_t slash = target.find('/', scheme.size());
    target = slash == std::string_view::npos ? "/" : target.substr(slash);
    break;
  }
  if (!target.starts_with('/')) {
    return fail(Code::bad_request, "the address must begin with '/'",
                "see GET / for the addresses");
  }
  Target parsed;
  const std::size_t question = target.find('?');
  parsed.path = target.substr(0, question);
  std::string_view rest = question == std::string_view::npos ? "" : target.substr(question + 1);
  while (!rest.empty()) {
    const std::string_view pair = rest.substr(0, rest.find('&'));
    rest.remove_prefix(std::min(pair.size() + 1, rest.size()));
    if (pair.empty()) continue;
    const std::size_t equals = pair.find('=');
    auto key = decode_percent(pair.substr(0, equals));
    auto value = decode_percent(equals == std::string_view::npos ? "" : pair.substr(equals + 1));
    if (!key || !value) return bad_encoding();
    parsed.query.emplace_back(std::move(*key), std::move(*value));
  }
  return parsed;
}

Result<RouteMatch> match_route(std::string_view method, const Target& target, std::string* allow) {
  allow->clear();
  for (const Route& route : kRoutes) {
    auto parameter = fit(route.path, target.path);
    if (!parameter) continue;
    if (!method_fits(method, route)) {
      *allow += (allow->empty() ? "" : ", ") +
                std::string(route.method == "GET" ? "GET, HEAD" : route.method);
      continue;
    }
    COEVAL_TRY(check_query(route, target));
    return RouteMatch{&route, std::move(*parameter)};
  }
  if (!allow->empty()) {
    return fail(Code::method_not_allowed, "this address does not take this method",
                "use " + *allow);
  }
  return fail(Code::not_found, "nothing at " + define::in_quotes(target.path),
              "GET / lists the addresses");
}

}  // namespace coeval::serving
