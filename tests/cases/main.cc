// Plays every case through every path and compares all bits. README.md tells what a case is.
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "case_file.h"
#include "case_world.h"
#include "paths.h"

namespace coeval::cases {

namespace {

// What was played, path by path.
struct Tally {
  std::int64_t cases = 0, answers = 0;
};

std::string key_text(const World& world, std::int64_t question) {
  const AskTable& ask = world.text->ask;
  const Row& row = ask.rows[static_cast<std::size_t>(question)];
  std::string text;
  for (std::size_t i = 0; i < ask.columns.size(); ++i)
    text += (i == 0 ? "" : " ") + ask.columns[i].name + " " + row.cells[i].text;
  return text;
}

bool same_bits(const data::Value& a, const data::Value& b) {
  const auto *x = std::get_if<double>(&a), *y = std::get_if<double>(&b);
  if (x == nullptr || y == nullptr) return a == b;
  return std::bit_cast<std::uint64_t>(*x) == std::bit_cast<std::uint64_t>(*y);
}

// A case says `nan`; which of the NaNs it is must be the same on every path.
bool is_expected(const data::Value& found, const data::Value& expected) {
  const auto *x = std::get_if<double>(&found), *y = std::get_if<double>(&expected);
  return same_bits(found, expected) ||
         (x != nullptr && y != nullptr && std::isnan(*x) && std::isnan(*y));
}

class Player {
 public:
  void play(const Case& c) {
    ++cases_;
    if (!c.refusals.empty()) return check_refusals(c);
    auto world = make_world(c);
    if (!world) return complain(c.place(c.line), c.title + ": " + one_line(world.error()));
    questions_ += world->questions.rows;
    first_.assign(static_cast<std::size_t>(world->questions.rows), {});
    for (const Path& path : paths_) play(*world, path);
  }

  int report() const {
    std::printf("\n%-40s %8s %10s\n", "path", "cases", "answers");
    std::int64_t answers = 0;
    for (const Path& path : paths_) {
      const auto found = tallies_.find(path.name);
      if (found == tallies_.end()) continue;
      std::printf("%-40s %8lld %10lld\n", path.name.c_str(),
                  static_cast<long long>(found->second.cases),
                  static_cast<long long>(found->second.answers));
      answers += found->second.answers;
    }
    std::printf(
        "%lld cases, %lld questions, %lld values compared; %lld differences in %zu places\n",
        static_cast<long long>(cases_), static_cast<long long>(questions_),
        static_cast<long long>(values_), static_cast<long long>(differences_), bad_.size());
    return differences_ == 0 && cases_ > 0 ? 0 : 1;
  }

 private:
  void complain(const std::string& place, const std::string& what) {
    ++differences_;
    bad_[place];
    std::printf("%s: %s\n", place.c_str(), what.c_str());
  }

  void check_refusals(const Case& c) {
    const define::Checked checked = define::check_text(definition_of(c), "coeval.toml");
    for (const Refusal& refusal : c.refusals) {
      const auto says = [&](const Error& error) {
        const std::string text = one_line(error);
        return code_name(error.code) == refusal.code &&
               std::ranges::all_of(refusal.parts, [&](const std::string& part) {
                 return text.find(part) != std::string::npos;
               });
      };
      if (std::ranges::any_of(checked.errors, says)) continue;
      std::string found = checked.errors.empty() ? " it is accepted" : "";
      for (const Error& error : checked.errors) found += "\n  found " + one_line(error);
      complain(c.place(refusal.line), c.title + ": not refused with " + refusal.code + found);
    }
  }

  void play(const World& world, const Path& path) {
    std::vector<bool> answered(static_cast<std::size_t>(world.questions.rows));
    std::int64_t answers = 0;
    const auto played = path.play(world, [&](const PathAnswer& answer) {
      answered[static_cast<std::size_t>(answer.question)] = true;
      ++answers;
      compare(world, path, answer);
    });
    const Case& c = *world.text;
    if (!played)
      return complain(c.place(c.line),
                      c.title + " (" + path.name + "): " + one_line(played.error()));
    if (!*played) return;
    if (std::ranges::count(answered, false) > 0)
      complain(c.place(c.line), c.title + " (" + path.name + "): a question was not answered");
    ++tallies_[path.name].cases;
    tallies_[path.name].answers += answers;
  }

  void compare(const World& world, const Path& path, const PathAnswer& answer) {
    const AskTable& ask = world.text->ask;
    const auto asked = static_cast<std::size_t>(answer.question);
    auto& first = first_[asked];
    if (answer.refused != world.refused[asked])
      complain(world.text->place(ask.rows[asked].line),
               key_text(world, answer.question) +
                   (answer.refused ? ": was refused" : ": was not refused") + " (" + path.name +
                   ")");
    if (answer.refused || world.refused[asked]) {
      ++values_;
      return;
    }
    const bool is_first = first.empty();
    for (std::size_t i = 0; i < ask.features.size(); ++i) {
      const data::Value found = answer.features.columns[i].value(answer.row);
      const data::Value expected = world.expected.columns[i].value(answer.question);
      if (is_first) first.push_back(found);
      ++values_;
      const bool as_expected = is_expected(found, expected);
      if (as_expected && same_bits(found, first[i])) continue;
      const data::Type type = world.expected.schema.fields[i].type;
      std::string what = key_text(world, answer.question) + ", " + ask.features[i] + ": expected " +
                         show_value(expected, type) + ", found " + show_value(found, type);
      if (as_expected) what += ", other bits than on the first path";
      complain(world.text->place(ask.rows[static_cast<std::size_t>(answer.question)].line),
               what + " (" + path.name + ")");
    }
  }

  const std::vector<Path> paths_ = all_paths();
  std::map<std::string, Tally> tallies_;
  std::vector<std::vector<data::Value>> first_;  // by question, of this case
  std::map<std::string, bool> bad_;
  std::int64_t cases_ = 0, questions_ = 0, values_ = 0, differences_ = 0;
};

Result<std::vector<Case>> read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return fail(Code::no_such_file, "no file " + path);
  std::ostringstream text;
  text << in.rdbuf();
  return read_cases(path, text.str());
}

std::vector<std::string> case_files(const std::string& folder) {
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    if (entry.path().extension() == ".case") files.push_back(entry.path().string());
  std::ranges::sort(files);
  return files;
}

constexpr const char* kUsage =
    "coeval_cases [--title TEXT] [--definition] [FILE.case]…\n"
    "Plays the cases whose title has TEXT through every path. --definition prints the definition\n"
    "that a case comes to, and plays nothing.\n";

int run(const std::vector<std::string>& arguments) {
  std::vector<std::string> files;
  std::string title;
  bool definition = false;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    if (arguments[i] == "--title" && i + 1 < arguments.size()) {
      title = arguments[++i];
    } else if (arguments[i] == "--definition") {
      definition = true;
    } else if (arguments[i].starts_with("-")) {
      std::fputs(kUsage, stderr);
      return 2;
    } else {
      files.push_back(arguments[i]);
    }
  }
  if (files.empty()) files = case_files(COEVAL_CASES);
  std::setvbuf(stdout, nullptr, _IOLBF, 1 << 16);  // what was found stays found if a case crashes
  Player player;
  for (const std::string& file : files) {
    const auto cases = read_file(file);
    if (!cases) {
      std::printf("%s\n", one_line(cases.error()).c_str());
      return 1;
    }
    for (const Case& c : *cases) {
      if (c.title.find(title) == std::string::npos) continue;
      if (definition)
        std::printf("# %s: %s\n%s\n", c.place(c.line).c_str(), c.title.c_str(),
                    definition_of(c).c_str());
      else
        player.play(c);
    }
  }
  return definition ? 0 : player.report();
}

}  // namespace

}  // namespace coeval::cases

int main(int argc, char** argv) {
  return coeval::cases::run(std::vector<std::string>(argv + 1, argv + argc));
}
