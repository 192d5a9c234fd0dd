// Window features at the sizes of issue 5, in memory and in this process: backfills of a history,
// and the state that the server keeps. Prints one line a figure: ROW FIGURE VALUE UNIT.
//
//   windows_bench [--quick] [--threads N] [ROW]     rows whose names hold ROW, all by default
//   windows_bench --definition SHAPE FOLDER         the shape's coeval.toml
//   windows_bench [--quick] --shapes                what generate.py is told of each shape
//
// Rows: backfill_sums, backfill_hot, backfill_wide, backfill_views (windows/shapes.cc says what
// they hold); apply_X, ask_X, state_X, hotkey_X, where X is what the view computes: sums, twenty or
// wide.
// --quick is a tenth of the events, keys and questions; hotkey_X always has a million events.

#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "windows/shapes.h"

using namespace windows_bench;

namespace {

void list_shapes(bool quick) {
  for (const Shape& shape : shapes(quick))
    std::printf("%s --events %lld --keys %lld --questions %lld --days %lld --sources %d%s\n",
                shape.name.c_str(), static_cast<long long>(shape.events),
                static_cast<long long>(shape.keys), static_cast<long long>(shape.questions),
                static_cast<long long>(shape.days), shape.sources,
                shape.skew == Skew::hot ? " --hot" : "");
}

}  // namespace

int main(int argc, char** argv) {
  bool quick = false;
  int threads = 2;
  std::string filter;
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word == "--quick") {
      quick = true;
    } else if (word == "--threads" && i + 1 < argc) {
      threads = std::atoi(argv[++i]);
    } else if (word == "--shapes") {
      list_shapes(quick);
      return 0;
    } else if (word == "--definition" && i + 2 < argc) {
      for (const Shape& shape : shapes(quick))
        if (shape.name == argv[i + 1]) {
          std::fputs(definition(shape, argv[i + 2]).c_str(), stdout);
          return 0;
        }
      give_up(std::string("there is no shape ") + argv[i + 1]);
    } else if (word.starts_with("--")) {
      give_up("unknown option " + std::string(word));
    } else {
      filter = word;
    }
  }
  for (const Shape& shape : shapes(quick))
    if (fits_memory(shape) && (filter.empty() || shape.name.find(filter) != std::string::npos))
      run_history(shape, threads);
  run_server(quick, filter);
  return 0;
}
