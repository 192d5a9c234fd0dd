#include "cli/terminal.h"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "base/clock.h"
#include "data/printable.h"
#include "define/project.h"

namespace coeval::cli {

namespace {

data::Json to_json(const Error& error) {
  data::Json json{data::Json::Object{}};
  json.set("error", error.message);
  json.set("code", code_name(error.code));
  if (!error.advice.empty()) json.set("advice", error.advice);
  if (error.position.line > 0) {
    json.set("file", error.position.file);
    json.set("line", error.position.line);
    json.set("column", error.position.column);
  }
  return json;
}

// With what a terminal would obey written out: names of files and values come from elsewhere.
Error shown(Error error) {
  error.message = data::printable_lines(error.message);
  error.advice = data::printable_lines(error.advice);
  error.position.file = data::printable(error.position.file);
  for (auto& context : error.context) context = data::printable_lines(context);
  return error;
}

}  // namespace

Terminal::Terminal(bool json)
    : json_(json),
      is_terminal_(isatty(STDERR_FILENO) != 0),
      colour_(is_terminal_ && std::getenv("NO_COLOR") == nullptr) {}

void Terminal::clear_progress() {
  if (progress_shown_) std::fputs("\r\033[K", stderr);
  progress_shown_ = false;
}

void Terminal::say(const std::string& line) {
  clear_progress();
  std::fprintf(stderr, "%s\n", data::printable_lines(line).c_str());
}

void Terminal::print(const std::string& line) {
  clear_progress();
  const std::string text = data::printable_lines(line) + '\n';
  std::fwrite(text.data(), 1, text.size(), stdout);
}

void Terminal::print_json(const data::Json& json) {
  clear_progress();
  std::fprintf(stdout, "%s\n", json.dump_pretty().c_str());
}

void Terminal::progress(const std::string& what, std::int64_t done, std::int64_t all) {
  const double now = monotonic_seconds();
  if (!is_terminal_ || now - last_progress_ < 0.1) return;
  last_progress_ = now;
  progress_shown_ = true;
  if (all > 0)
    std::fprintf(stderr, "\r\033[K%s %lld%%", what.c_str(),
                 static_cast<long long>(done * 100 / all));
  else
    std::fprintf(stderr, "\r\033[K%s %lld", what.c_str(), static_cast<long long>(done));
  std::fflush(stderr);
}

void Terminal::progress(const std::string& line) {
  const double now = monotonic_seconds();
  if (!is_terminal_ || now - last_progress_ < 0.1) return;
  last_progress_ = now;
  progress_shown_ = true;
  std::fprintf(stderr, "\r\033[K%s", line.c_str());
  std::fflush(stderr);
}

void Terminal::error(const Error& error, const std::string& definition) {
  errors({error}, definition);
}

void Terminal::errors(const std::vector<Error>& list, const std::string& definition) {
  clear_progress();
  data::Json all{data::Json::Array{}};
  for (const auto& error : list) {
    std::fputs(define::render(shown(error), definition, colour_).c_str(), stderr);
    all.push(to_json(error));
  }
  if (json_) print_json(list.size() == 1 ? (*all.array())[0] : all);
}

}  // namespace coeval::cli
