#include "define/project.h"

#include <algorithm>
#include <filesystem>

#include "base/time.h"
#include "data/hash.h"
#include "define/ir.h"

namespace coeval::define {

namespace {

template <class Parts>
int index_by_name(const Parts& parts, std::string_view wanted) {
  const auto found = std::find_if(parts.begin(), parts.end(),
                                  [&](const auto& part) { return part.name == wanted; });
  return found == parts.end() ? -1 : static_cast<int>(found - parts.begin());
}

}  // namespace

Severity SourceColumn::severity_of(std::string_view rule) const {
  return std::ranges::binary_search(warnings, rule) ? Severity::warn : Severity::error;
}

// Clocks that are moved over the date line skip or repeat a day; nothing moves them further.
std::int64_t Window::reach_us() const {
  switch (period) {
    case Period::day:
      return 2 * kDayUs;
    case Period::week:
      return 8 * kDayUs;
    case Period::month:
      return 32 * kDayUs;
    case Period::none:
      break;
  }
  return us == kAllTime ? kAllTime : us + offset_us;
}

std::size_t View::longest_window() const {
  const auto shorter = [](const Window& a, const Window& b) {
    return static_cast<std::uint64_t>(a.reach_us()) < static_cast<std::uint64_t>(b.reach_us());
  };
  return static_cast<std::size_t>(std::ranges::max_element(windows, shorter) - windows.begin());
}

std::int64_t View::longest_window_us() const {
  return windows.empty() ? 0 : windows[longest_window()].reach_us();
}

std::string View::feature_name(std::size_t index) const {
  if (lookup) return name + "." + aggregates[index].name;
  return name + "." + aggregates[index / windows.size()].name + "_" +
         windows[index % windows.size()].text;
}

int RowSchema::stage_of(int view) const {
  const auto found = std::ranges::lower_bound(later, view, {}, &Later::view);
  return found != later.end() && found->view == view ? found->stage : 0;
}

int RowSchema::stage_count() const {
  int last = 0;
  for (const auto& each : later) last = std::max(last, each.stage);
  return last + 1;
}

int Project::source_index(std::string_view source_name) const {
  return index_by_name(sources, source_name);
}
int Project::view_index(std::string_view view_name) const {
  return index_by_name(views, view_name);
}
int Project::model_index(std::string_view model_name) const {
  return index_by_name(models, model_name);
}
const Model* Project::find_model(std::string_view model_name) const {
  const int index = model_index(model_name);
  return index < 0 ? nullptr : &models[static_cast<std::size_t>(index)];
}

const Constant* Project::find_constant(std::string_view constant_name) const {
  const auto found = std::ranges::lower_bound(constants, constant_name, {}, &Constant::name);
  return found != constants.end() && found->name == constant_name ? &*found : nullptr;
}

std::string request_hash(const Project& project, const Model& model) {
  return data::sha256_hex(request_ir(project, model));
}

std::string view_hash(const Project& project, int view) {
  const View& part = project.views[static_cast<std::size_t>(view)];
  return data::sha256_hex(std::string(kIrHeader) + "\n" +
                          (project.zone ? zone_ir(project) : std::string()) +
                          source_ir(project.sources[static_cast<std::size_t>(part.source)]) +
                          view_ir(project, part) + looked_up_ir(project, part));
}

std::string source_hash(const Project& project, int source) {
  return data::sha256_hex(std::string(kIrHeader) + "\n" + zone_ir(project) +
                          source_ir(project.sources[static_cast<std::size_t>(source)]));
}

Result<std::string> find_project_file(const std::string& folder) {
  namespace fs = std::filesystem;
  std::error_code failure;
  const fs::path start = fs::absolute(folder, failure).lexically_normal();
  for (fs::path place = start;; place = place.parent_path()) {
    const fs::path file = place / "coeval.toml";
    if (fs::is_regular_file(file, failure)) return file.string();
    if (place == place.parent_path()) break;
  }
  return fail(Code::no_project, "no coeval.toml in this folder or above it: " + start.string(),
              "go to a project's folder, or start one with `coeval init`");
}

}  // namespace coeval::define
