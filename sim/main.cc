// coeval-sim: plays a seed, or shows that the planted bugs are found.
#include <charconv>
#include <cstdio>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

#include "simulation.h"

namespace coeval::sim {

namespace {

constexpr const char* kUsage =
    "coeval-sim [--seed N] [--seeds N] [--steps N] [--plant NAME] [--trace]\n"
    "coeval-sim --list-plants | --prove-plants\n"
    "\n"
    "  --seed N        the world's only source of chance (default 1)\n"
    "  --seeds N       plays this seed and those after it, N in all (default 1)\n"
    "  --steps N       steps for each seed (default 10000)\n"
    "  --plant NAME    puts a bug in, which should be found\n"
    "  --prove-plants  every plant is found, and without one the same seeds pass\n"
    "  --trace         prints each action before it is done\n"
    "\n"
    "Exit status: 0 all invariants held, 1 one was broken, 2 for a wrong command line.\n";

// Bounds of the search for a planted bug.
constexpr std::uint64_t kPlantSeeds = 10, kPlantSteps = 2000;

struct Arguments {
  Order order;
  std::uint64_t seeds = 1;
  bool list_plants = false, prove_plants = false;
};

std::optional<std::uint64_t> number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failure != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

void print_trace(const std::string& line) { std::puts(line.c_str()); }

// Takes one option and its value, if it has one, off the command line.
bool take(Arguments& arguments, std::string_view option, std::string_view value, bool& used) {
  Order& order = arguments.order;
  const auto wanted = number(value);
  used = option == "--seed" || option == "--seeds" || option == "--steps" || option == "--plant";
  if (option == "--plant") {
    const auto plant = find_plant(value);
    if (plant) order.plant = *plant;
    return plant.has_value();
  }
  if (used && !wanted) return false;
  if (option == "--seed") order.seed = *wanted;
  if (option == "--seeds") arguments.seeds = *wanted;
  if (option == "--steps") order.steps = *wanted;
  if (option == "--trace") order.trace = print_trace;
  if (option == "--list-plants") arguments.list_plants = true;
  if (option == "--prove-plants") arguments.prove_plants = true;
  return used || option == "--trace" || option == "--list-plants" || option == "--prove-plants";
}

std::optional<Arguments> read_arguments(int count, char** words) {
  Arguments arguments;
  for (int i = 1; i < count; ++i) {
    bool used = false;
    if (!take(arguments, words[i], i + 1 < count ? words[i + 1] : "", used)) return std::nullopt;
    if (used) ++i;
  }
  return arguments;
}

void print_tally(const Outcome& outcome) {
  const Tally& t = outcome.tally;
  std::printf(
      "%llu steps in %llu worlds: %llu events, %llu predictions, %llu refused; %llu commits, %llu "
      "failed; %llu restarts, %llu crashes, %llu power failures, %llu records lost that were not "
      "promised, %llu repairs took %llu; %llu snapshots used, %llu damaged; %llu states compared\n",
      static_cast<unsigned long long>(outcome.steps),
      static_cast<unsigned long long>(outcome.worlds), static_cast<unsigned long long>(t.events),
      static_cast<unsigned long long>(t.predictions), static_cast<unsigned long long>(t.refusals),
      static_cast<unsigned long long>(t.commits), static_cast<unsigned long long>(t.failed_commits),
      static_cast<unsigned long long>(t.restarts), static_cast<unsigned long long>(t.crashes),
      static_cast<unsigned long long>(t.power_failures),
      static_cast<unsigned long long>(t.records_lost), static_cast<unsigned long long>(t.repairs),
      static_cast<unsigned long long>(t.records_repaired_away),
      static_cast<unsigned long long>(t.snapshots_used),
      static_cast<unsigned long long>(t.snapshots_damaged),
      static_cast<unsigned long long>(t.states_compared));
}

int play(const Arguments& arguments) {
  Order order = arguments.order;
  Outcome all;
  for (std::uint64_t i = 0; i < arguments.seeds; ++i, ++order.seed) {
    const Outcome outcome = simulate(order);
    all.steps += outcome.steps;
    all.worlds += outcome.worlds;
    all.tally.add(outcome.tally);
    if (outcome.violation.empty()) continue;
    std::fflush(stdout);
    std::fprintf(stderr, "broken at %s\n", outcome.violation.c_str());
    return 1;
  }
  print_tally(all);
  return 0;
}

int list_plants() {
  for (const PlantInfo& info : plants())
    std::printf("%-32.*s %.*s\n", static_cast<int>(info.name.size()), info.name.data(),
                static_cast<int>(info.what.size()), info.what.data());
  return 0;
}

// The first violation that a plant leads to, or nothing within the bounds.
std::string find(Plant plant) {
  for (std::uint64_t seed = 1; seed <= kPlantSeeds; ++seed) {
    Outcome outcome = simulate({seed, kPlantSteps, plant, {}});
    if (!outcome.violation.empty()) return outcome.violation;
  }
  return {};
}

int prove_plants() {
  const std::string unplanted = find(Plant::none);
  if (!unplanted.empty()) {
    std::fprintf(stderr, "broken without a plant at %s\n", unplanted.c_str());
    return 1;
  }
  std::size_t found = 0;
  for (const PlantInfo& info : plants()) {
    const std::string violation = find(info.plant);
    if (violation != find(info.plant)) {
      std::fprintf(stderr, "%s: another violation the second time\n", violation.c_str());
      return 1;
    }
    found += violation.empty() ? 0 : 1;
    std::printf("%s: %s\n", std::string(info.name).c_str(),
                violation.empty() ? "NOT FOUND" : violation.c_str());
  }
  std::printf("%zu of %zu planted bugs found\n", found, plants().size());
  return found == plants().size() ? 0 : 1;
}

}  // namespace

int run(int count, char** words) {
  const auto arguments = read_arguments(count, words);
  if (!arguments) {
    std::fputs(kUsage, stderr);
    return 2;
  }
  if (arguments->list_plants) return list_plants();
  if (arguments->prove_plants) return prove_plants();
  return play(*arguments);
}

}  // namespace coeval::sim

int main(int count, char** words) { return coeval::sim::run(count, words); }
