#include <doctest/doctest.h>

#include <string>

#include "define/definition_for_tests.h"
#include "define/project.h"

namespace coeval::define {
namespace {

using namespace testing;

TEST_CASE("where a server keeps its state is no part of what it answers") {
  const auto plain = check_text(kFlights, "coeval.toml");
  REQUIRE(plain.project);
  CHECK_FALSE(plain.project->serving.on_disk);
  const auto stored =
      check_text(std::string(kFlights) + "\n[serving]\nstate = \"disk\"\nmemory = \"512MiB\"\n",
                 "coeval.toml");
  REQUIRE(stored.project);
  CHECK(stored.project->serving.on_disk);
  CHECK(stored.project->serving.memory_bytes == std::int64_t{512} << 20);
  CHECK(stored.project->ir_hash == plain.project->ir_hash);
  CHECK(view_hash(*stored.project, 0) == view_hash(*plain.project, 0));
  for (const char* line :
       {"state = \"redis\"", "state = 3", "state = \"disk\"\nmemory = \"4 GB\"", "memory = \"4GB\"",
        "state = \"disk\"\nmemory = \"10KB\"", "stat = \"disk\""}) {
    const auto wrong =
        check_text(std::string(kFlights) + "\n[serving]\n" + line + "\n", "coeval.toml");
    INFO(line);
    REQUIRE(wrong.errors.size() == 1);
    CHECK_FALSE(wrong.errors[0].advice.empty());
  }
}

}  // namespace
}  // namespace coeval::define
