// The `coeval` program and composition root: the only place that names adapters.

#include <malloc.h>

#include <array>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <new>
#include <string_view>

#include "base/large_allocator.h"
#include "cli/commands.h"
#include "cli/exports.h"

namespace {

using coeval::cli::Context;

struct Command {
  std::string_view verb;
  int (*run)(Context&);
};

constexpr std::array kCommands = {
    Command{"init", coeval::cli::init},
    Command{"check", coeval::cli::check},
    Command{"plan", coeval::cli::plan},
    Command{"build", coeval::cli::build},
    Command{"register", coeval::cli::register_model},
    Command{"runs", coeval::cli::runs},
    Command{"show", coeval::cli::show},
    Command{"dataset", coeval::cli::dataset},
    Command{"gen", coeval::cli::gen},
    Command{"promote", coeval::cli::promote},
    Command{"rollback", coeval::cli::rollback},
    Command{"serve", coeval::cli::serve},
    Command{"replay", coeval::cli::replay_traffic},
    Command{"profile", coeval::cli::profile},
    Command{"ingest", coeval::cli::ingest},
    Command{"quarantine", coeval::cli::quarantine},
    Command{"audit", coeval::cli::audit},
    Command{"reproduce", coeval::cli::reproduce},
    Command{"explain", coeval::cli::explain},
    Command{"export", coeval::cli::export_to},
    Command{"log", coeval::cli::log},
    Command{"doctor", coeval::cli::doctor},
    Command{"gc", coeval::cli::gc},
    Command{"schema", coeval::cli::schema},
    Command{"completion", coeval::cli::completion},
    Command{"train-worker", coeval::cli::train_worker},
};

int dispatch(const coeval::cli::Invocation& invocation) {
  coeval::cli::Terminal terminal(invocation.json);
  Context context(invocation, terminal);
  for (const auto& command : kCommands)
    if (command.verb == invocation.verb) return command.run(context);
  return 1;
}

int report(const coeval::Error& error, bool json) {
  coeval::cli::Terminal(json).error(error);
  return coeval::info(error.code).exit_code;
}

int run(const coeval::cli::ParsedCommand& parsed) {
  if (parsed.error) return report(*parsed.error, parsed.json);
  if (parsed.run) return dispatch(parsed.invocation);
  std::fputs(parsed.text.c_str(), stdout);
  return 0;
}

}  // namespace

// Blocks of columns come and go many times a second; handing their memory back to the system each
// time costs more than what is done with it.
static void keep_freed_memory() {
  mallopt(M_MMAP_THRESHOLD, 32 << 20);
  mallopt(M_TRIM_THRESHOLD, 256 << 20);
}

// The program's own operators: arrays of many megabytes get huge pages, because a page fault for
// each 4 KiB of a column that is filled once costs more than filling it. Sanitizers bring their
// own.
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)

void* operator new(std::size_t size) {
  void* memory =
      size >= coeval::kLargeBytes ? coeval::allocate_large(size) : std::malloc(size > 0 ? size : 1);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}
void* operator new[](std::size_t size) { return operator new(size); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory, std::size_t) noexcept { std::free(memory); }

#endif

int main(int argc, char** argv) {
  keep_freed_memory();
  bool json = false;
  try {
    const auto parsed = coeval::cli::parse_command_line(argc, argv);
    json = parsed.json;
    return run(parsed);
  } catch (const std::exception& failure) {
    return report({coeval::Code::internal, failure.what(), {}, {}, {}}, json);
  }
}
