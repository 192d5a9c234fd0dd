#include "serving/request_handler.h"

#include <strings.h>

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/time.h"
#include "define/diagnostics.h"
#include "serving/body_coding.h"
#include "serving/routes.h"
#include "serving/status_page.h"

namespace coeval::serving {
namespace {

/// An answer that promises something that the log, or the quarantine, must have first.
Response logged(Answer answer) {
  Response response = json_response(std::move(answer));
  response.needs_commit = true;
  return response;
}

/// ?now=…: the moment of arrival, which only a server on the log's own time lets the sender say.
Result<std::optional<std::int64_t>> read_now(const Target& target, bool data_clock) {
  const std::string* now = target.find("now");
  if (now == nullptr) return std::optional<std::int64_t>();
  if (!data_clock) {
    return fail(Code::bad_request, "'now' was given, but this server runs on the machine's clock",
                "start it with --clock data to replay history");
  }
  auto us = parse_time(*now);
  if (!us)
    return std::unexpected(std::move(us).error().within("reading the query parameter 'now'"));
  return std::optional<std::int64_t>(*us);
}

bool has_type(std::string_view content_type, std::string_view wanted) {
  std::string_view type = content_type.substr(0, content_type.find(';'));
  while (type.ends_with(' ') || type.ends_with('\t')) type.remove_suffix(1);
  return type.size() == wanted.size() &&
         ::strncasecmp(type.data(), wanted.data(), wanted.size()) == 0;
}

bool is_ndjson(std::string_view content_type) {
  for (const std::string_view name :
       {"application/x-ndjson", "application/ndjson", "application/jsonl"})
    if (has_type(content_type, name)) return true;
  return false;
}

/// Clients say all kinds of things about JSON; what is certainly something else is refused.
Status check_type(const Request& request) {
  for (const std::string_view name :
       {"application/vnd.apache.arrow.stream", "application/vnd.apache.arrow.file",
        "application/vnd.apache.parquet"}) {
    if (!has_type(request.content_type, name)) continue;
    return fail(Code::unsupported_encoding,
                "the header Content-Type says " + define::in_quotes(name) +
                    ", which this server does not read",
                "send JSON or NDJSON here, or load the file with `coeval ingest`");
  }
  return {};
}

/// A Host field is shown to the reader as a part of a command, so only what a host looks like is.
bool is_plain_host(std::string_view host) {
  constexpr std::string_view kHostBytes =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-:[]";
  return !host.empty() && host.find_first_not_of(kHostBytes) == std::string_view::npos;
}

Result<bool> read_flag(const Target& target, std::string_view name) {
  const std::string* value = target.find(name);
  if (value == nullptr || *value == "false") return false;
  if (*value == "true" || value->empty()) return true;
  return fail(Code::type_mismatch,
              "'" + std::string(name) + "' must be true or false, found " + *value, {});
}

}  // namespace

Response RequestHandler::handle(Request& request, bool draining) {
  const auto target = parse_target(request.target);
  if (!target) return error_response(target.error());
  std::string allow;
  const auto match = match_route(request.method, *target, &allow);
  if (!match) {
    Response response = error_response(match.error());
    response.allow = std::move(allow);
    return response;
  }
  Status readable = check_type(request);
  const bool is_json = readable.has_value();
  if (is_json) readable = decode_body(request.content_encoding, max_body_bytes_, request.body);
  Response response =
      readable ? dispatch(*match, *target, request, draining) : error_response(readable.error());
  if (is_json && response.status == 415) response.accepts = kBodyCodings;
  response.route = match->route->path;
  return response;
}

Response RequestHandler::health(bool live_only, bool draining) const {
  const bool ready = !draining && engine_.ready();
  Response response;
  response.status = live_only || ready ? 200 : 503;
  response.retry_after = response.status == 503;
  response.body = std::string("{\"live\":true,\"ready\":") + (ready ? "true" : "false") + "}";
  return response;
}

Response RequestHandler::dispatch(const RouteMatch& match, const Target& target,
                                  const Request& request, bool draining) {
  const auto now = read_now(target, engine_.options().data_clock);
  if (!now) return error_response(now.error());
  const auto features = read_flag(target, "features");
  if (!features) return error_response(features.error());
  switch (match.route->id) {
    case RouteId::status_page: {
      Response page;
      page.content_type = "text/html; charset=utf-8";
      page.body =
          status_page(engine_.overview(), is_plain_host(request.host) ? request.host : address_);
      return page;
    }
    case RouteId::predict:
      return json_response(engine_.predict(match.parameter, request.body, *features, *now));
    case RouteId::rank:
      return json_response(engine_.rank(match.parameter, request.body, *features, *now));
    case RouteId::events:
      return logged(engine_.events(match.parameter, request.body, *now,
                                   {request.idempotency_key, is_ndjson(request.content_type)}));
    case RouteId::prediction:
      return json_response(engine_.prediction(match.parameter));
    case RouteId::models:
      return json_response(engine_.models());
    case RouteId::metrics: {
      Response text = json_response(engine_.metrics());
      text.content_type = "text/plain; version=0.0.4; charset=utf-8";
      return text;
    }
    case RouteId::v2_metadata:
      return json_response(
          {200, R"({"name":"coeval","version":")" COEVAL_VERSION R"(","extensions":[]})"});
    case RouteId::v2_live:
      return health(true, draining);
    case RouteId::v2_ready:
      return health(false, draining);
  }
  return error_response({Code::internal, "a route without a handler", {}, {}, {}});
}

}  // namespace coeval::serving
