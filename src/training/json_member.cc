#include "training/json_member.h"

namespace coeval::training {
namespace {

std::unexpected<Error> wrong_member(const data::Json& json, std::string_view key,
                                    std::string_view wanted) {
  const data::Json* found = json.find(key);
  return fail(Code::bad_json, "'" + std::string(key) + "' must be " + std::string(wanted) +
                                  ", is " +
                                  std::string(found == nullptr ? "absent" : found->kind()));
}

}  // namespace

Result<std::int64_t> integer_member(const data::Json& json, std::string_view key) {
  const data::Json* found = json.find(key);
  if (found != nullptr && found->integer() != nullptr) return *found->integer();
  return wrong_member(json, key, "an integer");
}

Result<std::string> string_member(const data::Json& json, std::string_view key) {
  const data::Json* found = json.find(key);
  if (found != nullptr && found->string() != nullptr) return *found->string();
  return wrong_member(json, key, "a string");
}

Result<double> number_member(const data::Json& json, std::string_view key) {
  const data::Json* found = json.find(key);
  if (found != nullptr && found->real() != nullptr) return *found->real();
  if (found != nullptr && found->integer() != nullptr)
    return static_cast<double>(*found->integer());
  return wrong_member(json, key, "a number");
}

Result<const data::Json::Array*> array_member(const data::Json& json, std::string_view key) {
  const data::Json* found = json.find(key);
  if (found != nullptr && found->array() != nullptr) return found->array();
  return wrong_member(json, key, "an array");
}

}  // namespace coeval::training
