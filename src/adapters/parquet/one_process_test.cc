// libparquet.so of the wheel brings its own OpenSSL and simdjson; tools/hide_symbols.py keeps them
// from taking the place of Debian's. Without it the first case crashes.
#include <dlfcn.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <simdjson.h>

#include <cstdlib>

#include <doctest/doctest.h>

#include "adapters/parquet/testing_tables.h"

namespace coeval {

using namespace parquet_testing;

TEST_CASE("OpenSSL, simdjson and Parquet work side by side in one process") {
  TemporaryFolder folder;
  const data::Batch table = table_of_all_types(100, true);
  REQUIRE(write_table(folder / "t.parquet", {table}).has_value());

  SSL_CTX* context = SSL_CTX_new(TLS_client_method());
  REQUIRE(context != nullptr);
  CHECK(SSL_CTX_set_default_verify_paths(context) == 1);
  SSL_CTX_free(context);

  simdjson::dom::parser parser;
  std::int64_t answer = 0;
  REQUIRE(parser.parse(std::string_view(R"({"answer": [1, 42]})"))["answer"].at(1).get(answer) ==
          simdjson::SUCCESS);
  CHECK(answer == 42);

  const auto batches = read_table(folder / "t.parquet");
  REQUIRE(batches.has_value());
  CHECK(batches->front().rows == 100);
}

TEST_CASE("OpenSSL's functions in this process are Debian's, not the wheel's") {
  Dl_info found{};
  REQUIRE(dladdr(reinterpret_cast<void*>(&EVP_DigestInit_ex), &found) != 0);
  CHECK(std::string(found.dli_fname).find("libparquet") == std::string::npos);
  void* by_name = dlsym(RTLD_DEFAULT, "EVP_DigestInit_ex");
  REQUIRE(dladdr(by_name, &found) != 0);
  CHECK(std::string(found.dli_fname).find("libparquet") == std::string::npos);
}

TEST_CASE("the module gives a TableFiles by its one symbol") {
  const std::string path = std::string(COEVAL_BINARY_DIR) + "/lib/coeval_parquet.so";
  void* module = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  REQUIRE_MESSAGE(module != nullptr, dlerror());
  const auto make =
      reinterpret_cast<int (*)(stores::TableFiles**)>(dlsym(module, "coeval_table_files_v1"));
  REQUIRE((make != nullptr));
  stores::TableFiles* raw = nullptr;
  REQUIRE(make(&raw) == 0);
  const std::unique_ptr<stores::TableFiles> files(raw);
  TemporaryFolder folder;
  const data::Batch table = table_of_all_types(10, false);
  auto writer = files->create(folder / "t.parquet", table.schema, {});
  REQUIRE(writer.has_value());
  REQUIRE((*writer)->write(table).has_value());
  REQUIRE((*writer)->close().has_value());
  auto reader = files->open(folder / "t.parquet", {});
  REQUIRE(reader.has_value());
  const auto batch = (*reader)->next();
  REQUIRE(batch.has_value());
  CHECK(batch->rows == 10);
}

}  // namespace coeval
