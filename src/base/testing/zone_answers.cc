// Answers zone_oracle.py, a line for a line:
//   tables      the release of the tables
//   names       all names, separated by spaces
//   zone NAME   goes on with this zone; the answer is its name
//   offset US   offset_us_at
//   utc US      to_utc
// Anything else ends the program with status 1.
#include <charconv>
#include <iostream>
#include <string>

#include "base/time_zone.h"

namespace coeval {
namespace {

class Answers {
 public:
  bool answer(std::string_view verb, std::string_view argument) {
    if (verb == "tables") return say(TimeZone::tables_version());
    if (verb == "names") return names();
    if (verb == "zone") return choose(argument);
    std::int64_t us = 0;
    const auto [end, failure] =
        std::from_chars(argument.data(), argument.data() + argument.size(), us);
    if (failure != std::errc{} || end != argument.data() + argument.size()) return false;
    if (verb == "offset") return say(std::to_string(zone_->offset_us_at(us)));
    return verb == "utc" && say(std::to_string(zone_->to_utc(us)));
  }

 private:
  static bool say(std::string_view text) { return static_cast<bool>(std::cout << text << '\n'); }

  static bool names() {
    std::string line;
    for (const auto& name : TimeZone::names()) line += name + " ";
    return say(line);
  }

  bool choose(std::string_view name) {
    const auto found = TimeZone::find(name);
    if (!found) return false;
    zone_ = *found;
    return say(zone_->name());
  }

  const TimeZone* zone_ = &TimeZone::utc();
};

int run() {
  std::ios::sync_with_stdio(false);
  std::cin.tie(nullptr);
  Answers answers;
  for (std::string line; std::getline(std::cin, line);) {
    const auto space = std::min(line.find(' '), line.size());
    const std::string_view argument =
        std::string_view(line).substr(std::min(space + 1, line.size()));
    if (!answers.answer(std::string_view(line).substr(0, space), argument)) return 1;
  }
  return 0;
}

}  // namespace
}  // namespace coeval

int main() { return coeval::run(); }
