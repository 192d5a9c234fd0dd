#include "stores/process_mark.h"

#include <unistd.h>

#include <fstream>
#include <iterator>
#include <sstream>

namespace coeval::stores {

namespace {

std::string boot_id() {
  std::ifstream file("/proc/sys/kernel/random/boot_id");
  std::string id;
  file >> id;
  return id;
}

// Field 22 of /proc/PID/stat, in ticks since the boot. The name of the program, field 2, may hold
// anything, brackets and spaces too, and ends at the last bracket. Z in field 3: dead, and not yet
// waited for.
std::string start_of(const std::string& number) {
  std::ifstream file("/proc/" + number + "/stat");
  const std::string all{std::istreambuf_iterator<char>(file), {}};
  const std::size_t name_end = all.rfind(')');
  if (name_end == std::string::npos) return {};
  std::istringstream rest(all.substr(name_end + 1));
  std::string word, state;
  rest >> state;
  if (state == "Z" || state == "X") return {};
  for (int field = 4; field <= 22; ++field)
    if (!(rest >> word)) return {};
  return word;
}

std::string mark_of(const std::string& number) {
  const std::string boot = boot_id(), start = start_of(number);
  if (boot.empty() || start.empty()) return {};
  return boot + " " + number + " " + start;
}

}  // namespace

std::string process_mark() { return mark_of(std::to_string(::getpid())); }

bool process_lives(const std::string& mark) {
  const std::size_t from = mark.find(' ');
  if (from == std::string::npos) return false;
  const std::size_t to = mark.find(' ', from + 1);
  if (to == std::string::npos) return false;
  const std::string number = mark.substr(from + 1, to - from - 1);
  if (number.empty() || number.find_first_not_of("0123456789") != std::string::npos) return false;
  return mark_of(number) == mark;
}

}  // namespace coeval::stores
