#include "adapters/mlflow/tracking_server.h"

namespace coeval::adapters::mlflow {

namespace {

constexpr std::string_view kCalls = "/api/2.0/mlflow/";
constexpr std::string_view kArtifacts = "/api/2.0/mlflow-artifacts/artifacts/";
constexpr std::string_view kScheme = "mlflow-artifacts:/";
constexpr std::size_t kLongestMessage = 500;

// One line, not too long: a server may answer a page.
std::string one_line_of(std::string text) {
  const auto end = text.find('\n');
  if (end != std::string::npos) text.resize(end);
  if (text.size() > kLongestMessage) text.resize(kLongestMessage);
  return text;
}

std::string member(const data::Json& json, std::string_view name) {
  const data::Json* found = json.find(name);
  return found == nullptr || found->string() == nullptr ? std::string() : *found->string();
}

Reply reply_of(HttpResponse response) {
  Reply reply{response.status, {}, {}, {}};
  if (auto json = data::parse_json(response.body)) reply.json = std::move(*json);
  if (reply.ok()) return reply;
  reply.error_code = member(reply.json, "error_code");
  reply.message = one_line_of(member(reply.json, "message"));
  return reply;
}

std::string advice_of(int status) {
  if (status == 401 || status == 403)
    return "set MLFLOW_TRACKING_TOKEN, or MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD";
  if (status == 404) return "is this the address of an MLflow tracking server, with its path?";
  if (status >= 500) return "the server's own log says more; then run the same command again";
  return {};
}

std::unexpected<Error> odd_answer(std::string_view call, const std::string& what) {
  return fail(Code::bad_json, "the answer to " + std::string(call) + " " + what,
              "is this the address of an MLflow tracking server?");
}

}  // namespace

Error error_of(std::string_view call, const Reply& reply) {
  std::string text =
      "MLflow refused " + std::string(call) + ": status " + std::to_string(reply.status);
  if (!reply.error_code.empty()) text += " " + reply.error_code;
  if (!reply.message.empty()) text += ": " + reply.message;
  return {reply.status >= 500 ? Code::unavailable : Code::bad_request,
          std::move(text),
          advice_of(reply.status),
          {},
          {}};
}

Result<Reply> TrackingServer::try_get(std::string_view call, const Query& query) {
  std::string target = std::string(kCalls) + std::string(call);
  char mark = '?';
  for (const auto& [name, value] : query) {
    target += mark + name + "=" + percent_encoded(value);
    mark = '&';
  }
  COEVAL_ASSIGN(HttpResponse response, http_.send({"GET", target, {}, {}}));
  return reply_of(std::move(response));
}

Result<Reply> TrackingServer::try_post(std::string_view call, const data::Json& body) {
  COEVAL_ASSIGN(HttpResponse response, http_.send({"POST", std::string(kCalls) + std::string(call),
                                                   "application/json", body.dump()}));
  return reply_of(std::move(response));
}

namespace {

Result<data::Json> json_of(std::string_view call, Reply reply) {
  if (!reply.ok()) return std::unexpected(error_of(call, reply));
  if (reply.json.object() == nullptr) return odd_answer(call, "is no JSON object");
  return std::move(reply.json);
}

}  // namespace

Result<data::Json> TrackingServer::get(std::string_view call, const Query& query) {
  COEVAL_ASSIGN(Reply reply, try_get(call, query));
  return json_of(call, std::move(reply));
}

Result<data::Json> TrackingServer::post(std::string_view call, const data::Json& body) {
  COEVAL_ASSIGN(Reply reply, try_post(call, body));
  return json_of(call, std::move(reply));
}

Status TrackingServer::put_file(const std::string& folder, const std::string& path,
                                std::string bytes) {
  const std::string target = std::string(kArtifacts) + percent_encoded_path(folder + "/" + path);
  COEVAL_ASSIGN(HttpResponse response,
                http_.send({"PUT", target, "application/octet-stream", std::move(bytes)}));
  const Reply reply = reply_of(std::move(response));
  if (!reply.ok()) return std::unexpected(error_of("the artefact " + path, reply));
  return {};
}

Result<std::string> text_at(const data::Json& json, std::string_view call,
                            const std::vector<std::string_view>& path) {
  const data::Json* at = &json;
  std::string names;
  for (const std::string_view name : path) {
    names += (names.empty() ? "" : ".") + std::string(name);
    if (at != nullptr) at = at->find(name);
  }
  if (at == nullptr || at->string() == nullptr) return odd_answer(call, "has no text " + names);
  return *at->string();
}

Result<std::string> artifact_folder(const std::string& uri) {
  std::string_view rest = uri;
  if (!rest.starts_with(kScheme) || rest.starts_with("mlflow-artifacts://"))
    return fail(Code::unsupported,
                "the server keeps artefacts at '" + uri + "', where only its own clients can write",
                "start it with --artifacts-destination, so that they go through the server");
  rest.remove_prefix(kScheme.size());
  while (rest.starts_with('/')) rest.remove_prefix(1);
  return std::string(rest);
}

}  // namespace coeval::adapters::mlflow
