// Where a log begins.
//
// The file `trimmed` of a log folder is one line of JSON and the CRC32C of that line in eight
// hexadecimal digits on the next. It is written, whole and durably, before any segment is removed,
// and it alone decides: segments before `first_position` are no part of the log, whether a crash
// has left them there or not, and the next writer removes them.

#include "stores/log_trim.h"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <system_error>

#include "data/hash.h"
#include "data/json.h"
#include "stores/files.h"

namespace coeval::stores {

namespace {

constexpr std::int64_t kVersion = 1;
constexpr std::uint64_t kMaxBytes = 64u << 20;

std::string checksum_line(std::string_view line) {
  char text[16];
  std::snprintf(text, sizeof text, "%08x\n", data::crc32c(line));
  return text;
}

std::unexpected<Error> damaged() {
  return fail(Code::log_corrupt, "the record of what retention removed is damaged",
              "put the file `trimmed` of the log back from a backup");
}

bool read_integer(const data::Json& json, std::string_view key, std::int64_t& out) {
  const data::Json* found = json.find(key);
  if (found == nullptr || found->integer() == nullptr) return false;
  out = *found->integer();
  return true;
}

bool read_text(const data::Json& json, std::string_view key, std::string& out) {
  const data::Json* found = json.find(key);
  if (found == nullptr || found->string() == nullptr) return false;
  out = *found->string();
  return true;
}

bool read_sources(const data::Json& json, std::vector<TrimmedSource>& sources) {
  const data::Json* list = json.find("sources");
  if (list == nullptr || list->array() == nullptr) return false;
  for (const data::Json& one : *list->array()) {
    TrimmedSource source;
    if (!read_text(one, "source", source.source) ||
        !read_integer(one, "events_count", source.events) ||
        !read_integer(one, "oldest_known_us", source.oldest_known_us) ||
        !read_integer(one, "newest_event_us", source.newest_event_us))
      return false;
    sources.push_back(std::move(source));
  }
  return true;
}

constexpr std::string_view kDigits = "0123456789abcdef";

// Payloads are bytes of any kind, which JSON texts are not.
std::string hex(std::string_view bytes) {
  std::string text;
  for (const char c : bytes) {
    text += kDigits[static_cast<unsigned char>(c) >> 4];
    text += kDigits[static_cast<unsigned char>(c) & 15];
  }
  return text;
}

bool read_hex(std::string_view text, std::string& bytes) {
  if (text.size() % 2 != 0) return false;
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const std::size_t high = kDigits.find(text[i]), low = kDigits.find(text[i + 1]);
    if (high == std::string_view::npos || low == std::string_view::npos) return false;
    bytes += static_cast<char>(high << 4 | low);
  }
  return true;
}

bool read_kept(const data::Json& json, std::vector<LogTrim::Kept>& all) {
  const data::Json* list = json.find("kept");
  if (list == nullptr || list->array() == nullptr) return false;
  for (const data::Json& one : *list->array()) {
    LogTrim::Kept kept;
    std::int64_t position = 0, kind = 0, source = 0, schema = 0;
    std::string payload;
    if (!read_integer(one, "position", position) || !read_integer(one, "kind", kind) ||
        !read_integer(one, "known_us", kept.known.us) || !read_integer(one, "source", source) ||
        !read_integer(one, "schema", schema) || !read_text(one, "payload", payload) ||
        !read_hex(payload, kept.payload) || position < 0 || kind < 0 || kind > UINT8_MAX ||
        source < 0 || source > UINT32_MAX || schema < 0 || schema > UINT32_MAX)
      return false;
    kept.position = {static_cast<std::uint64_t>(position)};
    kept.kind = static_cast<std::uint8_t>(kind);
    kept.source = static_cast<std::uint32_t>(source);
    kept.schema_version = static_cast<std::uint32_t>(schema);
    all.push_back(std::move(kept));
  }
  return true;
}

bool read_trim_json(const data::Json& json, LogTrim& trim) {
  std::int64_t first = 0;
  if (!read_integer(json, "first_position", first) || first < 0 ||
      !read_integer(json, "known_us", trim.known.us) ||
      !read_integer(json, "trimmed_at_us", trim.trimmed_at_us) ||
      !read_integer(json, "predictions_count", trim.predictions) ||
      !read_sources(json, trim.sources) || !read_kept(json, trim.kept))
    return false;
  trim.first = {static_cast<std::uint64_t>(first)};
  return true;
}

}  // namespace

const TrimmedSource* LogTrim::find(std::string_view source) const {
  const auto at = std::ranges::find(sources, source, &TrimmedSource::source);
  return at == sources.end() ? nullptr : &*at;
}

std::string encode_trim(const LogTrim& trim) {
  data::Json json{data::Json::Object{}};
  json.set("coeval_log_trimmed", kVersion);
  json.set("first_position", static_cast<std::int64_t>(trim.first.value));
  json.set("known_us", trim.known.us);
  json.set("trimmed_at_us", trim.trimmed_at_us);
  json.set("predictions_count", trim.predictions);
  data::Json sources{data::Json::Array{}};
  for (const TrimmedSource& source : trim.sources) {
    data::Json one{data::Json::Object{}};
    one.set("source", source.source);
    one.set("events_count", source.events);
    one.set("oldest_known_us", source.oldest_known_us);
    one.set("newest_event_us", source.newest_event_us);
    sources.push(std::move(one));
  }
  json.set("sources", std::move(sources));
  data::Json all{data::Json::Array{}};
  for (const LogTrim::Kept& kept : trim.kept) {
    data::Json one{data::Json::Object{}};
    one.set("position", static_cast<std::int64_t>(kept.position.value));
    one.set("kind", static_cast<std::int64_t>(kept.kind));
    one.set("known_us", kept.known.us);
    one.set("source", static_cast<std::int64_t>(kept.source));
    one.set("schema", static_cast<std::int64_t>(kept.schema_version));
    one.set("payload", hex(kept.payload));
    all.push(std::move(one));
  }
  json.set("kept", std::move(all));
  const std::string line = json.dump() + "\n";
  return line + checksum_line(line);
}

Result<LogTrim> decode_trim(std::string_view text) {
  const std::size_t end = text.find('\n');
  if (end == std::string_view::npos ||
      text.substr(end + 1) != checksum_line(text.substr(0, end + 1)))
    return damaged();
  const auto json = data::parse_json(text.substr(0, end));
  std::int64_t version = 0;
  if (!json || !read_integer(*json, "coeval_log_trimmed", version)) return damaged();
  if (version != kVersion)
    return fail(Code::unsupported, "a trimmed log of version " + std::to_string(version),
                "use the version of coeval that trimmed it, or a newer one");
  LogTrim trim;
  if (!read_trim_json(*json, trim)) return damaged();
  return trim;
}

Result<std::optional<LogTrim>> read_trim(const std::string& log_folder) {
  const std::string path = log_folder + "/trimmed";
  std::error_code failed;
  if (!std::filesystem::exists(path, failed)) return std::nullopt;
  COEVAL_ASSIGN(const std::string text, read_file(path, kMaxBytes));
  auto trim = decode_trim(text);
  if (!trim) return std::unexpected(std::move(trim).error().within("while reading '" + path + "'"));
  return std::optional(std::move(*trim));
}

Status write_trim(const std::string& log_folder, const LogTrim& trim) {
  return write_file_atomically(log_folder + "/trimmed", encode_trim(trim));
}

}  // namespace coeval::stores
