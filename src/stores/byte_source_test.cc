#include "stores/byte_source.h"

#include <doctest/doctest.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include <filesystem>
#include <fstream>
#include <random>
#include <vector>

#include "stores/files.h"
#include "stores/temporary_folder.h"

namespace coeval::stores {
namespace {

std::string gzipped(std::string_view text) {
  z_stream stream = {};
  REQUIRE(deflateInit2(&stream, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY) == Z_OK);
  std::string out(text.size() + 1000, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  REQUIRE(deflate(&stream, Z_FINISH) == Z_STREAM_END);
  out.resize(out.size() - stream.avail_out);
  deflateEnd(&stream);
  return out;
}

std::string zstd_packed(std::string_view text, int window_log = 0) {
  ZSTD_CCtx* context = ZSTD_createCCtx();
  ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
  if (window_log > 0) {
    ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, window_log);
    ZSTD_CCtx_setParameter(context, ZSTD_c_contentSizeFlag, 0);
  }
  std::string out(ZSTD_compressBound(text.size()) + 100, '\0');
  ZSTD_inBuffer in = {text.data(), text.size(), 0};
  ZSTD_outBuffer to = {out.data(), out.size(), 0};
  // Flushed first, so that the encoder cannot know how small the text is.
  while (ZSTD_compressStream2(context, &to, &in, ZSTD_e_flush) != 0) {
  }
  while (ZSTD_compressStream2(context, &to, &in, ZSTD_e_end) != 0) {
  }
  out.resize(to.pos);
  ZSTD_freeCCtx(context);
  return out;
}

Result<std::string> all_of(Result<std::unique_ptr<ByteSource>> source, std::size_t piece = 777) {
  if (!source) return std::unexpected(source.error());
  std::string text;
  std::vector<char> buffer(piece);
  for (;;) {
    COEVAL_ASSIGN(const std::size_t got, (*source)->read(buffer));
    if (got == 0) return text;
    text.append(buffer.data(), got);
  }
}

Result<std::string> unpack(const std::string& packed, const std::string& name = "x") {
  return all_of(unpacked(bytes_of_text(name, packed)));
}

std::string random_text(std::size_t size) {
  std::mt19937_64 random(5);
  std::string text;
  while (text.size() < size) text += std::to_string(random() % 1000) + ",";
  return text;
}

TEST_CASE("gzip and zstd are unpacked, members and frames one after another") {
  const std::string a = random_text(700'000), b = "second";
  for (const auto& pack : {+[](std::string_view text) { return gzipped(text); },
                           +[](std::string_view text) { return zstd_packed(text); }}) {
    CHECK(unpack(pack(a)).value() == a);
    CHECK(unpack(pack(a) + pack(b) + pack("") + pack(a)).value() == a + b + a);
    CHECK(unpack(pack("")).value().empty());
  }
  CHECK(
      unpack(std::string("\x50\x2A\x4D\x18\x03\x00\x00\x00", 8) + "abc" + zstd_packed(b)).value() ==
      b);
}

TEST_CASE("what is not packed is handed on as it is") {
  for (const std::string text : {"", "a", "\x1F", "\x28\xB5", "plain text of some length"})
    CHECK(unpack(text).value() == text);
}

TEST_CASE("an ending that promises a packing must be kept") {
  CHECK(unpack("a,b\n", "t.csv.gz").error().code == Code::bad_file);
  CHECK(unpack("", "t.csv.zst").error().code == Code::bad_file);
  CHECK(unpack(zstd_packed("x"), "t.csv.gz").error().code == Code::bad_file);
  CHECK(unpack(gzipped("x"), "t.csv").value() == "x");
}

TEST_CASE("packed bytes that are cut short anywhere are an error that says where") {
  for (const std::string& packed : {gzipped(random_text(3000)), zstd_packed(random_text(3000))})
    for (std::size_t size = 4; size < packed.size(); ++size) {
      const auto text = unpack(packed.substr(0, size));
      REQUIRE_FALSE(text);
      REQUIRE(text.error().code == Code::bad_file);
      REQUIRE(text.error().message.find("ends at byte " + std::to_string(size)) !=
              std::string::npos);
    }
}

TEST_CASE("bytes behind the last member are an error that says where") {
  for (const std::string& packed : {gzipped("text"), zstd_packed("text")})
    for (const std::string& behind :
         {std::string("x"), std::string("garbage of some length"), std::string(20, '\0')}) {
      const auto text = unpack(packed + behind);
      REQUIRE_FALSE(text);
      CHECK(text.error().message.find("at byte " + std::to_string(packed.size())) !=
            std::string::npos);
    }
}

TEST_CASE("a bit that flips in packed bytes is found") {
  for (const std::string& packed : {gzipped(random_text(500)), zstd_packed(random_text(500))})
    for (std::size_t at = 12; at < packed.size(); at += 3) {
      std::string damaged = packed;
      damaged[at] = static_cast<char>(damaged[at] ^ 4);
      CAPTURE(at);
      const auto text = unpack(damaged);
      if (text) CHECK(*text == random_text(500));  // a bit that says nothing
    }
}

TEST_CASE("a zstd frame that wants too much memory is refused") {
  const auto text = unpack(zstd_packed("a", 28));
  REQUIRE_FALSE(text);
  CHECK(text.error().code == Code::unsupported);
  CHECK(text.error().message.find("128 MiB") != std::string::npos);
  CHECK(unpack(zstd_packed("a", 27)).value() == "a");
}

TEST_CASE("a file says how far it was read, and a missing one is an error") {
  const TemporaryFolder folder;
  const std::string path = folder / "t.csv.gz", packed = gzipped(random_text(100'000));
  std::ofstream(path, std::ios::binary) << packed;
  auto source = open_bytes(path).value();
  CHECK(source->bytes_total() == packed.size());
  CHECK(source->name() == path);
  CHECK(all_of(std::move(source)).value() == random_text(100'000));
  CHECK(open_bytes(folder / "none").error().code == Code::no_such_file);
  CHECK(without_packing("a/t.csv.gz") == "a/t.csv");
  CHECK(without_packing("t.jsonl.zst") == "t.jsonl");
  CHECK(without_packing("t.csv") == "t.csv");
}

TEST_CASE("'-' is standard input") {
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  const int kept = ::dup(STDIN_FILENO);
  const std::string packed = gzipped("a,b\n1,2\n");
  REQUIRE(::write(ends[1], packed.data(), packed.size()) == static_cast<ssize_t>(packed.size()));
  ::close(ends[1]);
  REQUIRE(::dup2(ends[0], STDIN_FILENO) == STDIN_FILENO);
  const auto text = all_of(open_bytes("-"));
  ::dup2(kept, STDIN_FILENO);
  ::close(kept);
  ::close(ends[0]);
  CHECK(text.value() == "a,b\n1,2\n");
}

}  // namespace
}  // namespace coeval::stores
