#include "adapters/onnxruntime/c_api.h"

#include <dlfcn.h>

#include <algorithm>
#include <filesystem>
#include <string_view>

namespace coeval::adapters::onnxruntime {
namespace {

constexpr const char* kAdvice = "run `./dev setup`, which installs onnxruntime 1.32.0";
/// The version of the table that is asked for: it has every place that is used, in every library
/// since 1.17.
constexpr std::uint32_t kTableVersion = 17;
constexpr int kLogFatal = 4;

std::string last_dl_error() {
  const char* text = ::dlerror();
  return text != nullptr ? text : "unknown reason";
}

/// "/src/file.h:46 void f(int, g(int)) the reason" → "the reason", and one line of it.
std::string reason_of(std::string text) {
  std::size_t open = text.starts_with('/') ? text.find('(') : std::string::npos;
  int depth = 0;
  for (std::size_t at = open; at < text.size(); ++at) {
    depth += text[at] == '(' ? 1 : text[at] == ')' ? -1 : 0;
    if (depth > 0) continue;
    text.erase(0, std::min(at + 2, text.size()));
    break;
  }
  constexpr std::size_t kLongest = 500;
  std::string line;
  for (const char c : text.substr(0, text.find('\n'))) line += c >= ' ' && c <= '~' ? c : '?';
  if (line.size() > kLongest) line = line.substr(0, kLongest) + "…";
  return line;
}

}  // namespace

Status Library::check(StatusHandle status) const {
  if (status == nullptr) return {};
  using Message = const char*(const void*);
  const auto message = reinterpret_cast<Message*>(function(Place::GetErrorMessage));
  std::string reason = reason_of(message(status));
  release(Place::ReleaseStatus, status);
  return fail(Code::bad_model, "ONNX Runtime " + version_ + ": " + reason);
}

void Library::release(Place place, Handle handle) const {
  using Release = void(Handle);
  reinterpret_cast<Release*>(function(place))(handle);
}

// Never unloaded, for it may have threads and registrations of its own.
Result<std::shared_ptr<const Library>> Library::load(const std::string& folder) {
  const std::string path = folder + "/onnxruntime/lib/libonnxruntime.so";
  if (!std::filesystem::exists(path)) {
    return fail(Code::missing_component,
                "an ONNX model needs ONNX Runtime, which is not installed: no file " + path,
                kAdvice);
  }
  void* const handle = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) {
    return fail(Code::missing_component, "ONNX Runtime cannot be loaded: " + last_dl_error(),
                kAdvice);
  }
  struct Base {
    void* const* (*table)(std::uint32_t version);
    const char* (*version)();
  };
  using GetBase = const Base*();
  const auto get_base = reinterpret_cast<GetBase*>(::dlsym(handle, "OrtGetApiBase"));
  void* const* const table = get_base != nullptr ? get_base()->table(kTableVersion) : nullptr;
  if (table == nullptr) {
    return fail(Code::missing_component, path + " is no ONNX Runtime from 1.17 on", kAdvice);
  }
  std::shared_ptr<Library> library(new Library());
  library->table_ = table;
  library->version_ = get_base()->version();
  COEVAL_TRY(library->call(Place::CreateEnv, kLogFatal, "coeval", &library->environment_));
  return library;
}

Library::~Library() {
  if (environment_ != nullptr) release(Place::ReleaseEnv, environment_);
}

}  // namespace coeval::adapters::onnxruntime
