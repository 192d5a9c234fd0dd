#include "adapters/xgboost/warnings.h"

#include <cstdio>

namespace coeval::adapters::xgboost {
namespace {

thread_local std::string* collected = nullptr;

}  // namespace

Warnings::Warnings(const CApi& api) {
  collected = &text_;
  api.XGBRegisterLogCallback(&Warnings::take);
}

Warnings::~Warnings() { collected = nullptr; }

void Warnings::take(const char* text) {
  if (collected != nullptr) collected->append(text).push_back('\n');
  std::fprintf(stderr, "%s\n", text);
}

Status Warnings::check_parameters() const {
  const std::string names = unused_parameters(text_);
  if (names.empty()) return {};
  return fail(Code::training_failed, "xgboost does not use the parameters " + names,
              "correct or remove them under the model's params; the names are those of XGBoost's "
              "manual");
}

std::string unused_parameters(std::string_view warnings) {
  constexpr std::string_view kBegin = "Parameters: {", kEnd = "} are not used";
  const auto end = warnings.find(kEnd);
  if (end == std::string_view::npos) return {};
  const auto begin = warnings.rfind(kBegin, end);
  if (begin == std::string_view::npos) return {};
  std::string_view names = warnings.substr(begin + kBegin.size(), end - begin - kBegin.size());
  while (names.starts_with(' ')) names.remove_prefix(1);
  while (names.ends_with(' ')) names.remove_suffix(1);
  return std::string(names);
}

}  // namespace coeval::adapters::xgboost
