#include <cstdio>

#include "data/hash.h"
#include "data/json.h"
#include "stores/sealed_files.h"

namespace coeval::stores {

namespace {

constexpr std::int64_t kVersion = 1;

std::string checksum_line(std::string_view line) {
  char text[16];
  std::snprintf(text, sizeof text, "%08x\n", data::crc32c(line));
  return text;
}

std::unexpected<Error> damaged() {
  return fail(Code::log_corrupt, "the note of a sealed segment is damaged",
              "`coeval doctor --repair` sets it aside; `coeval log seal` makes it again");
}

// Reads members; after the first that is missing all is void.
class Members {
 public:
  explicit Members(const data::Json& json) : json_(json) {}
  std::int64_t integer(std::string_view key) {
    const data::Json* found = json_.find(key);
    const bool there = found != nullptr && found->integer() != nullptr;
    ok_ = ok_ && there;
    return there ? *found->integer() : 0;
  }
  std::string text(std::string_view key) {
    const data::Json* found = json_.find(key);
    const bool there = found != nullptr && found->string() != nullptr;
    ok_ = ok_ && there;
    return there ? *found->string() : std::string();
  }
  bool ok() const { return ok_; }

 private:
  const data::Json& json_;
  bool ok_ = true;
};

data::Json file_json(const SealedFile& file) {
  data::Json json{data::Json::Object{}};
  json.set("path", file.path);
  json.set("source", file.source);
  json.set("schema", static_cast<std::int64_t>(file.schema));
  json.set("rows_count", file.rows);
  json.set("oldest_known_us", file.oldest_known_us);
  json.set("newest_known_us", file.newest_known_us);
  json.set("newest_event_us", file.newest_event_us);
  json.set("sha256", file.sha256);
  return json;
}

bool read_file_json(const data::Json& json, SealedFile& file) {
  Members members(json);
  file.path = members.text("path");
  file.source = members.text("source");
  const std::int64_t schema = members.integer("schema");
  file.schema = static_cast<std::uint32_t>(schema);
  file.rows = members.integer("rows_count");
  file.oldest_known_us = members.integer("oldest_known_us");
  file.newest_known_us = members.integer("newest_known_us");
  file.newest_event_us = members.integer("newest_event_us");
  file.sha256 = members.text("sha256");
  const bool is_below =
      file.path.starts_with("sealed/") && file.path.find("..") == std::string::npos;
  return members.ok() && is_below && schema >= 0 && schema <= UINT32_MAX && file.rows >= 0;
}

bool read_json(const data::Json& json, SealedSegment& sealed) {
  Members members(json);
  const std::int64_t first = members.integer("first_position");
  const std::int64_t next = members.integer("next_position");
  sealed.first = {static_cast<std::uint64_t>(first)};
  sealed.next = {static_cast<std::uint64_t>(next)};
  sealed.last_known = {members.integer("last_known_us")};
  sealed.predictions = members.integer("predictions_count");
  sealed.newest_prediction_us = members.integer("newest_prediction_us");
  sealed.others = members.integer("others_count");
  sealed.unsealed = members.integer("unsealed_count");
  const data::Json* files = json.find("files");
  if (!members.ok() || first < 0 || next < first || files == nullptr || files->array() == nullptr)
    return false;
  for (const data::Json& one : *files->array())
    if (!read_file_json(one, sealed.files.emplace_back())) return false;
  return true;
}

}  // namespace

std::string encode_sealed(const SealedSegment& sealed) {
  data::Json json{data::Json::Object{}};
  json.set("coeval_log_sealed", kVersion);
  json.set("first_position", static_cast<std::int64_t>(sealed.first.value));
  json.set("next_position", static_cast<std::int64_t>(sealed.next.value));
  json.set("last_known_us", sealed.last_known.us);
  json.set("predictions_count", sealed.predictions);
  json.set("newest_prediction_us", sealed.newest_prediction_us);
  json.set("others_count", sealed.others);
  json.set("unsealed_count", sealed.unsealed);
  data::Json files{data::Json::Array{}};
  for (const SealedFile& file : sealed.files) files.push(file_json(file));
  json.set("files", std::move(files));
  const std::string line = json.dump() + "\n";
  return line + checksum_line(line);
}

Result<SealedSegment> decode_sealed(std::string_view text) {
  const std::size_t end = text.find('\n');
  if (end == std::string_view::npos) return damaged();
  if (text.substr(end + 1) != checksum_line(text.substr(0, end + 1))) return damaged();
  const auto json = data::parse_json(text.substr(0, end));
  if (!json) return damaged();
  Members version(*json);
  if (version.integer("coeval_log_sealed") != kVersion && version.ok())
    return fail(Code::unsupported, "a sealed segment of a newer version",
                "use the version of coeval that sealed it, or a newer one");
  SealedSegment sealed;
  if (!version.ok() || !read_json(*json, sealed)) return damaged();
  return sealed;
}

}  // namespace coeval::stores
