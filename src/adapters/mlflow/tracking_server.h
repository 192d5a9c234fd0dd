#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/http_exchange.h"
#include "data/json.h"

namespace coeval::adapters::mlflow {

/// An answer of MLflow's REST interface.
struct Reply {
  int status = 0;
  data::Json json;         ///< null where the body is no JSON
  std::string error_code;  ///< "RESOURCE_ALREADY_EXISTS"; empty where there is none
  std::string message;     ///< of an error, one line of it
  bool ok() const { return status >= 200 && status < 300; }
};

/// MLflow's REST interface 2.0, and its proxy of artefacts. Threading: as of HttpExchange.
/// Errors of what returns a Json: unavailable, also for a status from 500; bad_request for another
/// that is no success, both with the status, MLflow's error code and its message; bad_json where an
/// answer is not what it should be.
class TrackingServer {
 public:
  explicit TrackingServer(HttpExchange& http) : http_(http) {}

  using Query = std::vector<std::pair<std::string, std::string>>;
  /// `call` is "runs/get". For answers that may be errors as expected. Errors: unavailable.
  Result<Reply> try_get(std::string_view call, const Query& query);
  Result<Reply> try_post(std::string_view call, const data::Json& body);
  Result<data::Json> get(std::string_view call, const Query& query);
  Result<data::Json> post(std::string_view call, const data::Json& body);
  /// Writes a file through the proxy; `folder` as artifact_folder() gives it.
  Status put_file(const std::string& folder, const std::string& path, std::string bytes);

 private:
  HttpExchange& http_;
};

/// What the error of an answer is to a person: "MLflow refused runs/create: 400
/// INVALID_PARAMETER_VALUE: …".
Error error_of(std::string_view call, const Reply& reply);

/// A text at a path of members. Errors: bad_json naming the call and the path.
Result<std::string> text_at(const data::Json& json, std::string_view call,
                            const std::vector<std::string_view>& path);

/// Where the proxy keeps the artefacts of a run, from its `artifact_uri`: "1/523ba/artifacts".
/// Errors: unsupported for a server that keeps them elsewhere, where only its clients can write.
Result<std::string> artifact_folder(const std::string& uri);

}  // namespace coeval::adapters::mlflow
