// The schemas of a log.
//
// Beside the segments of a log stands a folder `schemas` with one file for each schema that a
// source's events were ever logged with: SOURCE-TTTTTTTT.schema, after the source and the schema's
// tag in eight hexadecimal digits. Its text:
//
//    coeval log schema 1
//    source <name>
//    tag <eight hexadecimal digits>
//    since <position>
//    <schema_text(): one line a column>
//
// The tag is a hash of the columns' lines, so it is their checksum too. `since` is the position of
// the first event that carries the tag; a source that goes back to an older schema writes that
// again, with a later position. The file is on the disk before that event is written.
//
// Why not a record of the log itself: whoever reads from the middle (a server from its snapshot, a
// reader of one segment) would not come by it; retention removes the oldest segments first, where
// it would stand; and a person can read it.

#include "stores/log_schemas.h"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <filesystem>
#include <system_error>
#include <tuple>

#include "stores/append_file.h"
#include "stores/files.h"
#include "stores/pending_file.h"
#include "stores/record_names.h"

namespace coeval::stores {

namespace {

constexpr std::string_view kFirstLine = "coeval log schema 1";
constexpr std::string_view kFamily = "coeval log schema ";
constexpr std::string_view kSuffix = ".schema";
constexpr std::uint64_t kMaxFileBytes = 8u << 20;

std::string schemas_folder(const std::string& log_folder) { return log_folder + "/schemas"; }

std::string_view take_line(std::string_view& rest) {
  const std::size_t end = std::min(rest.find('\n'), rest.size());
  const std::string_view line = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return line;
}

// What follows "<word> " on the next line.
bool take_word(std::string_view& rest, std::string_view word, std::string_view& value) {
  const std::string_view line = take_line(rest);
  if (!line.starts_with(word) || line.size() <= word.size() || line[word.size()] != ' ')
    return false;
  value = line.substr(word.size() + 1);
  return true;
}

template <class Number>
bool read_number(std::string_view text, int base, Number& number) {
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  return failed == std::errc{} && end == text.data() + text.size();
}

bool read_columns(std::string_view text, data::Schema& schema) {
  while (!text.empty()) {
    const std::string_view line = take_line(text);
    const std::size_t tab = line.find('\t');
    if (tab == std::string_view::npos || tab == 0) return false;
    std::string_view type = line.substr(tab + 1);
    const bool nullable = type.ends_with('?');
    if (nullable) type.remove_suffix(1);
    const auto parsed = data::parse_type(type);
    if (!parsed) return false;
    schema.fields.push_back({std::string(line.substr(0, tab)), *parsed, nullable});
  }
  return !schema.fields.empty();
}

std::unexpected<Error> no_schema(const std::string& what) {
  return fail(Code::log_corrupt, "this is not a schema of a log: " + what,
              "put the file back from a backup: logged rows of that schema are unreadable "
              "without it");
}

}  // namespace

std::string encode_log_schema(const LogSchema& schema) {
  return std::string(kFirstLine) + "\nsource " + schema.source + "\ntag " + tag_text(schema.tag) +
         "\nsince " + std::to_string(schema.since.value) + "\n" + schema_text(schema.schema);
}

Result<LogSchema> decode_log_schema(std::string_view text) {
  LogSchema schema;
  std::string_view source, tag, since;
  const std::string_view first = take_line(text);
  if (first != kFirstLine && first.starts_with(kFamily))
    return fail(Code::unsupported,
                "a schema of a log in version " + std::string(first.substr(kFamily.size())),
                "use the version of coeval that wrote it, or a newer one");
  if (first != kFirstLine) return no_schema("it does not begin with its first line");
  if (!take_word(text, "source", source) || !take_word(text, "tag", tag) ||
      !take_word(text, "since", since) || !read_number(tag, 16, schema.tag) ||
      !read_number(since, 10, schema.since.value))
    return no_schema("source, tag and since are to follow");
  if (!read_columns(text, schema.schema)) return no_schema("its columns cannot be read");
  if (schema_tag(schema.schema) != schema.tag)
    return no_schema("its columns do not give the tag " + tag_text(schema.tag));
  schema.source = source;
  return schema;
}

Result<std::vector<LogSchema>> read_log_schemas(const std::string& log_folder) {
  std::vector<LogSchema> schemas;
  const std::string folder = schemas_folder(log_folder);
  std::error_code failed;
  if (!std::filesystem::exists(folder, failed)) return schemas;
  std::filesystem::directory_iterator entries(folder, failed);
  if (failed) return std::unexpected(error_from_errno(failed.value(), "read folder", folder));
  for (const std::filesystem::directory_iterator end; entries != end; entries.increment(failed)) {
    if (failed) return std::unexpected(error_from_errno(failed.value(), "read folder", folder));
    const std::string path = entries->path().string();
    if (!path.ends_with(kSuffix)) continue;
    COEVAL_ASSIGN(const std::string text, read_file(path, kMaxFileBytes));
    auto schema = decode_log_schema(text);
    if (!schema)
      return std::unexpected(std::move(schema).error().within("while reading '" + path + "'"));
    schemas.push_back(std::move(*schema));
  }
  std::ranges::sort(schemas, [](const LogSchema& a, const LogSchema& b) {
    return std::tie(a.source, a.since, a.tag) < std::tie(b.source, b.since, b.tag);
  });
  return schemas;
}

Status write_log_schema(const std::string& log_folder, const LogSchema& schema) {
  const std::string folder = schemas_folder(log_folder);
  COEVAL_TRY(make_folders(folder));
  return write_file_atomically(
      folder + "/" + schema.source + "-" + tag_text(schema.tag) + std::string(kSuffix),
      encode_log_schema(schema));
}

Status remove_unfinished_schemas(const std::string& log_folder, FileLayer& files) {
  std::error_code none;
  std::vector<std::string> unfinished;
  for (std::filesystem::directory_iterator entry(schemas_folder(log_folder), none), end;
       !none && entry != end; entry.increment(none))
    if (is_pending_name(entry->path().filename().string()))
      unfinished.push_back(entry->path().string());
  for (const std::string& path : unfinished) COEVAL_TRY(files.remove(path));
  return {};
}

const LogSchema* newest_schema(const std::vector<LogSchema>& declared, std::string_view source) {
  const LogSchema* newest = nullptr;
  for (const LogSchema& one : declared)
    if (one.source == source && (newest == nullptr || one.since >= newest->since)) newest = &one;
  return newest;
}

void replace_schema(std::vector<LogSchema>& declared, LogSchema schema) {
  std::erase_if(declared, [&](const LogSchema& one) {
    return one.source == schema.source && one.tag == schema.tag;
  });
  declared.push_back(std::move(schema));
}

const LogSchema* PendingSchemas::find(std::uint32_t source, std::uint32_t schema) const {
  for (const LogSchema& one : schemas_)
    if (one.tag == schema && source_tag(one.source) == source) return &one;
  return nullptr;
}

void PendingSchemas::remove(const LogSchema* schema) {
  schemas_.erase(schemas_.begin() + (schema - schemas_.data()));
}

Result<bool> is_newest(const std::vector<LogSchema>& declared, const LogSchema& schema) {
  for (const LogSchema& one : declared)
    if (one.source == schema.source && one.tag == schema.tag && one.schema != schema.schema)
      return fail(Code::log_corrupt,
                  "two schemas of source '" + schema.source + "' have the tag " + tag_text(one.tag),
                  "give one of its columns another name: the log could not tell the schemas apart");
  const LogSchema* newest = newest_schema(declared, schema.source);
  return newest != nullptr && newest->tag == schema.tag;
}

}  // namespace coeval::stores
