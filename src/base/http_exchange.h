#pragma once

#include <string>

#include "base/error.h"

namespace coeval {

struct HttpRequest {
  std::string method;        ///< "GET", "POST", "PUT"
  std::string target;        ///< path and query, percent-encoded, from the server's address on
  std::string content_type;  ///< of the body; empty where there is none
  std::string body;
};
struct HttpResponse {
  int status = 0;
  std::string body;
};

/// Requests to one server, one after the other. A seam: adapters/http speaks HTTP; tests answer
/// themselves.
///
/// Every answer is a result, whatever its status: what it means is for the caller to say.
/// Threading: one thread at a time. Errors: unavailable: no answer came in time, or none that can
/// be understood. What was asked may have been done then.
class HttpExchange {
 public:
  virtual ~HttpExchange() = default;
  virtual Result<HttpResponse> send(const HttpRequest& request) = 0;
};

/// Text as a part of a target: all but letters, digits and -._~ percent-encoded.
std::string percent_encoded(const std::string& text);
/// The same of a path, whose slashes stay.
std::string percent_encoded_path(const std::string& path);

}  // namespace coeval
