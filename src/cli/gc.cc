#include <filesystem>

#include "cli/commands.h"
#include "stores/files.h"
#include "training/build_lock.h"
#include "training/unreachable.h"

namespace coeval::cli {

namespace {

data::Json as_json(const training::Unreachable& item) {
  data::Json json{data::Json::Object{}};
  json.set("path", item.path);
  json.set("bytes", static_cast<std::int64_t>(item.bytes));
  json.set("why", item.why);
  if (item.version != 0) {
    json.set("model", item.model);
    json.set("version", item.version);
  }
  return json;
}

Result<training::KeepRules> keep_rules(const Context& context) {
  training::KeepRules keep;
  keep.newest = context.in.keep;
  const std::string path = context.project->folder + "/coeval.lock";
  if (std::filesystem::exists(path)) {
    COEVAL_ASSIGN(keep.lock_file, stores::read_file(path, 1 << 24));
  }
  return keep;
}

Result<std::vector<training::Unreachable>> collect(Context& context) {
  // Without the metadata nothing is reached, and everything would go.
  if (!std::filesystem::exists(context.state_folder + "/meta.sqlite"))
    return fail(
        Code::metadata,
        "there is no metadata in " + context.state_folder +
            ", so nothing is known of what is there",
        "coeval build makes it; a folder that was copied without it can be deleted by hand");
  COEVAL_ASSIGN(const auto lock, training::BuildLock::alone(context.state_folder));
  COEVAL_ASSIGN(const auto keep, keep_rules(context));
  if (context.in.dry_run) {
    COEVAL_ASSIGN(const auto meta, context.open_meta_for_reading());
    return training::find_unreachable(context.state_folder, *meta, keep);
  }
  COEVAL_ASSIGN(const auto meta, context.open_meta());
  COEVAL_ASSIGN(auto found, training::find_unreachable(context.state_folder, *meta, keep));
  for (const auto& item : found)
    COEVAL_TRY(
        training::remove_unreachable(context.state_folder, *meta, item, context.clock.now_us()));
  return found;
}

}  // namespace

int gc(Context& context) {
  if (const auto code = context.load_project()) return *code;
  const auto found = collect(context);
  if (!found) return context.report(found.error());
  std::uint64_t bytes = 0;
  data::Json items{data::Json::Array{}};
  for (const auto& item : *found) {
    bytes += item.bytes;
    items.push(as_json(item));
    if (!context.terminal.json())
      context.terminal.print(item.path + "  " + std::to_string(item.bytes) + " bytes  (" +
                             item.why + ")");
  }
  if (context.terminal.json()) {
    data::Json json{data::Json::Object{}};
    json.set("dry_run", context.in.dry_run);
    json.set("bytes", static_cast<std::int64_t>(bytes));
    json.set("items", std::move(items));
    context.terminal.print_json(json);
  } else {
    context.terminal.print(std::to_string(found->size()) +
                           (context.in.dry_run ? " would go, " : " removed, ") +
                           std::to_string(bytes) + " bytes");
  }
  return 0;
}

}  // namespace coeval::cli
