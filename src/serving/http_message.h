#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "serving/engine.h"

namespace coeval::serving {

/// A whole request as it came off the wire.
struct Request {
  std::string method;            ///< "GET", as written
  std::string target;            ///< "/v1/predict/late?features=true", percent-encoding kept
  std::string host;              ///< the Host field; may be empty with HTTP/1.0
  std::string content_encoding;  ///< the Content-Encoding field; empty without one
  std::string content_type;      ///< the Content-Type field; empty without one
  std::string idempotency_key;   ///< the Idempotency-Key field, without quotes; empty without one
  std::string body;
  bool http_1_0 = false;
  bool keep_alive = true;
};

/// An answer before it is put into bytes.
struct Response {
  int status = 200;
  std::string body;
  std::string_view content_type = "application/json";
  std::string allow;                  ///< methods, for 405
  std::string_view accepts;           ///< "Accept-Encoding: …", for 415
  bool retry_after = false;           ///< "Retry-After: 1"
  std::string_view route = "(none)";  ///< the route's pattern, for the counters
  bool needs_commit = false;          ///< true only when the log has what this answer promises
};

/// From an engine's answer; 409, 503 and 507 ask to retry.
Response json_response(Answer answer);
Response error_response(const Error& error);

/// How an answer is to be written.
struct ResponseFraming {
  bool keep_alive = true;
  bool http_1_0 = false;
  bool head = false;      ///< the request was HEAD: length, but no body
  std::string_view date;  ///< RFC 9110 date, may be empty
};
void append_response(std::string& out, const Response& response, const ResponseFraming& framing);

/// "Sun, 06 Nov 1994 08:49:37 GMT"
std::string http_date(std::int64_t us);

}  // namespace coeval::serving
