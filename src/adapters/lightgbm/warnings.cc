#include "adapters/lightgbm/warnings.h"

#include <cstdio>

namespace coeval::adapters::lightgbm {
namespace {

thread_local std::string* collected = nullptr;

}  // namespace

Warnings::Warnings(const CApi& api) {
  collected = &text_;
  api.LGBM_RegisterLogCallback(&Warnings::take);
}

Warnings::~Warnings() { collected = nullptr; }

void Warnings::take(const char* text) {
  if (collected != nullptr) collected->append(text);
  std::fputs(text, stderr);
}

Status Warnings::check_parameters() const {
  const std::string names = unknown_parameters(text_);
  if (names.empty()) return {};
  return fail(Code::training_failed, "lightgbm does not know the parameters " + names,
              "correct or remove them under the model's params; the names are those of LightGBM's "
              "manual");
}

std::string unknown_parameters(std::string_view warnings) {
  constexpr std::string_view kBegin = "Unknown parameter: ";
  std::string names;
  for (auto at = warnings.find(kBegin); at != std::string_view::npos;
       at = warnings.find(kBegin, at + 1)) {
    const auto begin = at + kBegin.size();
    const std::string name =
        '"' + std::string(warnings.substr(begin, warnings.find_first_of(" \n", begin) - begin)) +
        '"';
    if (!names.contains(name)) names += (names.empty() ? "" : ", ") + name;
  }
  return names;
}

}  // namespace coeval::adapters::lightgbm
