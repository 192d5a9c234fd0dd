#include "replay/server_check.h"

#include <utility>

#include "data/json.h"
#include "replay/http_pipe.h"

namespace coeval::replay {

namespace {

// GET /v1/models, parsed.
Result<data::Json> ask_models(const std::string& url) {
  data::Json answer;
  int status = 0;
  COEVAL_ASSIGN(HttpPipe pipe, HttpPipe::connect(url, 1, [&](const HttpAnswer& got) -> Status {
                  status = got.status;
                  if (auto json = data::parse_json(got.body)) answer = std::move(*json);
                  return {};
                }));
  COEVAL_TRY(pipe.get("/v1/models"));
  COEVAL_TRY(pipe.finish());
  if (status == 200 && answer.find("clock") != nullptr) return answer;
  return fail(Code::unavailable, url + " does not answer as a coeval server does",
              "name the server with --url");
}

const data::Json* find_model(const data::Json& answer, const std::string& name) {
  const data::Json* models = answer.find("models");
  if (models == nullptr || models->array() == nullptr) return nullptr;
  for (const data::Json& model : *models->array()) {
    const data::Json* called = model.find("name");
    if (called != nullptr && called->string() != nullptr && *called->string() == name)
      return &model;
  }
  return nullptr;
}

Status check_model(const data::Json& answer, const std::string& url, const std::string& name) {
  const std::string refusal = "the server at " + url + " does not serve model '" + name + "'";
  const data::Json* model = find_model(answer, name);
  if (model == nullptr)
    return fail(Code::unknown_model, refusal, "does it serve this project? GET /v1/models lists");
  const data::Json* ready = model->find("ready");
  if (ready != nullptr && ready->boolean() != nullptr && *ready->boolean()) return {};
  const auto text = [&](const char* key) {
    const data::Json* member = model->find(key);
    return member != nullptr && member->string() != nullptr ? *member->string() : std::string();
  };
  return fail(Code::unknown_model, refusal + ": " + text("error"), text("advice"));
}

}  // namespace

Status check_server(const std::string& url, const std::vector<const define::Model*>& models,
                    const std::string& from) {
  COEVAL_ASSIGN(const data::Json answer, ask_models(url));
  const std::string* clock = answer.find("clock")->string();
  if (clock == nullptr || *clock != "data")
    return fail(Code::usage,
                "the server at " + url +
                    " runs on the machine's clock, where a past cannot be played as it was",
                "start it with coeval serve --clock data --as-of " + from);
  for (const define::Model* model : models) COEVAL_TRY(check_model(answer, url, model->name));
  return {};
}

}  // namespace coeval::replay
