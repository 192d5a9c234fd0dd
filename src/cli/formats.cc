#include "cli/formats.h"

#include <dlfcn.h>

#include <cstdlib>
#include <filesystem>

#include "stores/text_table_files.h"

namespace coeval::cli {

namespace {

namespace fs = std::filesystem;

// Where ./dev setup put the pinned artefacts: beside the build folder, or where COEVAL_HOME says.
fs::path third_party(const fs::path& program) {
  if (const char* home = std::getenv("COEVAL_HOME")) return fs::path(home) / "third_party";
  for (fs::path at = program.parent_path(); at.has_relative_path(); at = at.parent_path())
    if (fs::exists(at / "third_party")) return at / "third_party";
  return program.parent_path().parent_path() / "third_party";
}

// What a module makes by the one function that it has.
template <class Made>
Result<std::unique_ptr<Made>> load_module(const std::string& name, const std::string& path,
                                          const char* function) {
  void* module = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (module == nullptr)
    return fail(Code::missing_component,
                "the " + name + " adapter cannot be loaded: " + std::string(dlerror()),
                "./dev setup && ./dev build installs it");
  using Make = int (*)(Made**);
  const auto make = reinterpret_cast<Make>(dlsym(module, function));
  Made* made = nullptr;
  if (make == nullptr || make(&made) != 0 || made == nullptr)
    return fail(Code::missing_component, "the " + name + " adapter is of another version",
                "./dev build makes program and adapter together");
  return std::unique_ptr<Made>(made);
}

class Formats {
 public:
  explicit Formats(Installation installation) : installation_(std::move(installation)) {}

  Result<stores::TableFiles*> open(const std::string& path) {
    const std::string unpacked = stores::without_packing(path);
    const std::string ending = fs::path(unpacked).extension().string();
    if (ending == ".parquet" && unpacked == path) return parquet();
    if (ending == ".csv") return csv_.get();
    if (ending == ".jsonl" || ending == ".ndjson") return jsonl_.get();
    if (ending == ".arrow" || ending == ".arrows" || ending == ".feather" || ending == ".ipc")
      return arrow();
    return fail(
        Code::unsupported,
        "no reader for files that end in '" + fs::path(path).extension().string() + "': " + path,
        "the endings are .parquet, .csv, .jsonl, .arrow, and the last three also with .gz "
        "or .zst");
  }

 private:
  Result<stores::TableFiles*> parquet() {
    if (parquet_) return parquet_.get();
    COEVAL_ASSIGN(parquet_, load_module<stores::TableFiles>("Parquet", installation_.parquet_module,
                                                            "coeval_table_files_v1"));
    return parquet_.get();
  }

  Result<stores::TableFiles*> arrow() {
    if (arrow_) return arrow_.get();
    COEVAL_ASSIGN(arrow_, load_module<stores::TableFiles>("Arrow", installation_.parquet_module,
                                                          "coeval_arrow_files_v1"));
    return arrow_.get();
  }

  Installation installation_;
  std::unique_ptr<stores::TableFiles> csv_ = stores::make_csv_files();
  std::unique_ptr<stores::TableFiles> jsonl_ = stores::make_jsonl_files();
  std::unique_ptr<stores::TableFiles> parquet_, arrow_;
};

}  // namespace

Installation find_installation() {
  Installation found;
  std::error_code ignored;
  const fs::path program = fs::read_symlink("/proc/self/exe", ignored);
  found.program = program.string();
  const fs::path modules = program.parent_path().parent_path() / "lib";
  found.parquet_module = (modules / "coeval_parquet.so").string();
  found.rocksdb_module = (modules / "coeval_rocksdb.so").string();
  found.xgboost_folder = (third_party(program) / "xgboost").string();
  found.lightgbm_folder = (third_party(program) / "lightgbm").string();
  found.onnxruntime_folder = (third_party(program) / "onnxruntime").string();
  return found;
}

Result<stores::StateStores*> load_state_stores(const Installation& installation) {
  // Kept for as long as the process runs, as stores may be.
  static std::unique_ptr<stores::StateStores> stores;
  if (!stores) {
    COEVAL_ASSIGN(stores, load_module<stores::StateStores>("RocksDB", installation.rocksdb_module,
                                                           "coeval_state_stores_v1"));
  }
  return stores.get();
}

Result<std::unique_ptr<stores::StateStore>> open_state_store(const Installation& installation,
                                                             const std::string& folder) {
  COEVAL_ASSIGN(stores::StateStores* const stores, load_state_stores(installation));
  return stores->open(folder, {});
}

replay::OpenFormat make_formats(const Installation& installation) {
  auto formats = std::make_shared<Formats>(installation);
  return [formats](const std::string& path) { return formats->open(path); };
}

}  // namespace coeval::cli
