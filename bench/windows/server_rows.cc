#include <malloc.h>

#include <algorithm>
#include <chrono>
#include <numeric>

#include "base/clock.h"
#include "kernel/kernel.h"
#include "windows/shapes.h"

namespace windows_bench {

using namespace coeval;

namespace {

constexpr std::int64_t kBlockRows = 262'144;
constexpr double kAskSeconds = 2;  // no longer, where an ask takes milliseconds
constexpr std::int64_t kLeastAsks = 30;

/// Bytes that malloc has handed out: what the kernel holds, with the spare room of its vectors.
double allocated_bytes() {
  const auto info = ::mallinfo2();
  return static_cast<double>(info.uordblks + info.hblkhd);
}

/// One view as the server keeps it, fed with the shape's events in blocks.
class State {
 public:
  explicit State(const Shape& shape)
      : shape_(shape),
        project_(project(shape)),
        before_(allocated_bytes()),
        kernel_(need(kernel::Kernel::create(project_, {0}))) {}

  kernel::Kernel& kernel() { return *kernel_; }
  const Shape& shape() const { return shape_; }
  std::int64_t next_event() const { return next_; }
  std::size_t feature_count() const { return project_->views[0].feature_count(); }
  double bytes() const { return allocated_bytes() - before_; }
  double apply_seconds() const { return apply_seconds_; }
  double prepare_seconds() const { return prepare_seconds_; }

  /// Rows that follow those applied, ready to be applied.
  kernel::EventBlock prepare(std::int64_t count) {
    const data::Batch rows = events(shape_, *project_, 0, next_, count);
    next_ += count;
    const double began = cpu_seconds();
    auto block = need(kernel_->prepare_events(0, rows, rows.find("ts")->values<std::int64_t>()));
    prepare_seconds_ += cpu_seconds() - began;
    return block;
  }

  void fill() {
    while (next_ < shape_.events) {
      const auto block = prepare(std::min(kBlockRows, shape_.events - next_));
      const double began = cpu_seconds();
      for (std::int64_t row = 0; row < block.rows; ++row) kernel_->apply(0, block, row);
      apply_seconds_ += cpu_seconds() - began;
    }
  }

 private:
  Shape shape_;
  std::shared_ptr<const define::Project> project_;
  double before_;
  std::unique_ptr<kernel::Kernel> kernel_;
  std::int64_t next_ = 0;
  double apply_seconds_ = 0, prepare_seconds_ = 0;
};

void report_quantiles(std::string_view name, const std::string& figure,
                      std::vector<std::int64_t> ns) {
  std::ranges::sort(ns);
  const auto at = [&](double p) {
    return static_cast<double>(
        ns[static_cast<std::size_t>(p * static_cast<double>(ns.size() - 1))]);
  };
  report(name, figure + "_p50", at(0.5) / 1e3, "us");
  report(name, figure + "_p99", at(0.99) / 1e3, "us");
  report(name, figure + "_max", at(1) / 1e3, "us");
}

template <class Body>
std::int64_t nanoseconds(Body body) {
  const auto began = std::chrono::steady_clock::now();
  body();
  return (std::chrono::steady_clock::now() - began) / std::chrono::nanoseconds(1);
}

/// Applies one event, then asks a question at the next microsecond, and so on. `ask` is a question
/// whose key was found before; `question` finds the key too, as the server does for one row.
void ask(State& state, std::int64_t count, const std::string& label) {
  const auto block = state.prepare(count);
  std::vector<std::int64_t> at(block.known_us);
  for (auto& us : at) ++us;
  const Questions asked = questions_at(state.shape(), std::move(at));
  const std::vector<int> views = {0};
  auto prepared = need(state.kernel().prepare_questions(asked.keys, asked.at_us, views));
  std::vector<kernel::Cell> cells(state.feature_count());
  std::vector<std::int64_t> alone, whole;
  const double began = monotonic_seconds();
  std::int64_t row = 0;
  for (; row < count / 2; ++row) {
    if (row >= kLeastAsks && monotonic_seconds() - began > kAskSeconds) break;
    state.kernel().apply(0, block, row);
    alone.push_back(nanoseconds([&] { state.kernel().ask(0, prepared, row, cells); }));
  }
  const double middle = monotonic_seconds();
  for (; row < count; ++row) {
    if (static_cast<std::int64_t>(whole.size()) >= kLeastAsks &&
        monotonic_seconds() - middle > kAskSeconds)
      break;
    state.kernel().apply(0, block, row);
    const std::int64_t rows[] = {row};
    const data::Batch one = data::take(asked.keys, rows);
    const std::span<const std::int64_t> one_at(&asked.at_us[static_cast<std::size_t>(row)], 1);
    whole.push_back(nanoseconds([&] {
      const auto found = need(state.kernel().prepare_questions(one, one_at, views));
      state.kernel().ask(0, found, 0, cells);
    }));
  }
  report(label, "asks", static_cast<double>(alone.size()), "questions");
  report_quantiles(label, "ask", std::move(alone));
  report_quantiles(label, "question", std::move(whole));
}

/// The same with many events between one question and the next, for state that follows the windows.
void ask_seldom(State& state, std::int64_t count, std::int64_t apart, const std::string& label) {
  const std::vector<int> views = {0};
  std::vector<kernel::Cell> cells(state.feature_count());
  std::vector<std::int64_t> times;
  const double began = monotonic_seconds();
  while (std::ssize(times) < count) {
    if (std::ssize(times) >= kLeastAsks && monotonic_seconds() - began > kAskSeconds) break;
    const auto block = state.prepare(apart);
    for (std::int64_t row = 0; row < block.rows; ++row) state.kernel().apply(0, block, row);
    const Questions asked = questions_at(state.shape(), {block.known_us.back() + 1});
    const auto prepared = need(state.kernel().prepare_questions(asked.keys, asked.at_us, views));
    times.push_back(nanoseconds([&] { state.kernel().ask(0, prepared, 0, cells); }));
  }
  report_quantiles(label, "seldom", std::move(times));
}

const char* name_of(Features features) {
  switch (features) {
    case Features::sums:
      return "sums";
    case Features::twenty:
      return "twenty";
    case Features::wide:
      return "wide";
    case Features::windows:
      return "windows";
  }
  return "";
}

/// Keys of 100 events in the longest window each, in an order that no cache can foresee.
void many_keys(Features features, std::int64_t keys, std::int64_t per_key, std::int64_t asks) {
  const std::string name = name_of(features);
  State state({name, keys * per_key, keys, keys, 30, Skew::uniform, features});
  state.fill();
  const auto events = static_cast<double>(keys * per_key);
  const std::string of = "_" + std::to_string(per_key);
  if (asks > 0) {
    const std::string label = "apply_" + name;
    report(label, "prepare", state.prepare_seconds() / events * 1e9, "ns/event");
    report(label, "apply", state.apply_seconds() / events * 1e9, "ns/event");
    report(label, "rate", events / state.apply_seconds() / 1e6, "M events/s");
  }
  const std::string label = "state_" + name + of;
  report(label, "bytes", state.bytes() / 1e6, "MB");
  report(label, "beside_keys", (state.bytes() - 100.0 * static_cast<double>(keys)) / events,
         "B/event");
  report(label, "per_key", state.bytes() / static_cast<double>(keys), "B/key");
  if (asks > 0) ask(state, asks, "ask_" + name);
}

/// One key with a million events in the longest window.
void hot_key(Features features, std::int64_t events, std::int64_t asks) {
  const std::string name = name_of(features);
  State state({name, events, 1, 1, 30, Skew::uniform, features});
  state.fill();
  ask(state, asks, "hotkey_" + name);
  ask_seldom(state, asks / 100, 1'000, "hotkey_" + name);
}

}  // namespace

void run_server(bool quick, std::string_view filter) {
  const std::int64_t keys = quick ? 10'000 : 100'000;
  const auto wanted = [&](const std::string& name) {
    return filter.empty() || name.find(filter) != std::string::npos;
  };
  for (const Features features : {Features::sums, Features::twenty, Features::wide}) {
    const std::string name = name_of(features);
    if (wanted("apply_" + name) || wanted("ask_" + name) || wanted("state_" + name)) {
      many_keys(features, keys, 100, 200'000);
      many_keys(features, keys, 10, 0);
    }
    if (wanted("hotkey_" + name)) hot_key(features, 1'000'000, 20'000);
  }
}

}  // namespace windows_bench
