#include "serving/body_coding.h"

#include <strings.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "define/diagnostics.h"

namespace coeval::serving {
namespace {

constexpr std::size_t kBlockBytes = 128u << 10;
constexpr int kMaxWindowLog = 23;  // 8 MiB

bool is_coding(std::string_view coding, std::string_view name) {
  return coding.size() == name.size() &&
         ::strncasecmp(coding.data(), name.data(), name.size()) == 0;
}

Status malformed(std::string_view coding, std::string_view why) {
  return fail(Code::bad_request,
              "the body is not valid " + std::string(coding) + ": " + std::string(why),
              "send all bytes of one compressed body, or none compressed");
}

/// Decoded bytes, up to a limit.
class Decoded {
 public:
  explicit Decoded(std::size_t max_bytes) : max_bytes_(max_bytes), block_(kBlockBytes) {}
  char* block() { return block_.data(); }
  std::size_t block_bytes() const { return block_.size(); }
  Status take(std::size_t bytes) {
    if (bytes > max_bytes_ - body_.size())
      return fail(Code::body_too_large,
                  "decoded, the body is larger than " + std::to_string(max_bytes_) + " bytes",
                  "send it in parts");
    body_.append(block_.data(), bytes);
    return {};
  }
  std::string finish() { return std::move(body_); }

 private:
  std::size_t max_bytes_;
  std::vector<char> block_;
  std::string body_;
};

class Inflater {
 public:
  Inflater() { ready_ = ::inflateInit2(&stream_, 16 + MAX_WBITS) == Z_OK; }
  ~Inflater() { ::inflateEnd(&stream_); }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  Status run(std::string_view bytes, Decoded& out) {
    if (!ready_) return fail(Code::internal, "no memory to decode a body");
    // zlib does not write to its input, which it takes without const.
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
    stream_.avail_in = static_cast<uInt>(bytes.size());
    for (;;) {
      stream_.next_out = reinterpret_cast<Bytef*>(out.block());
      stream_.avail_out = static_cast<uInt>(out.block_bytes());
      const int outcome = ::inflate(&stream_, Z_NO_FLUSH);
      COEVAL_TRY(out.take(out.block_bytes() - stream_.avail_out));
      if (outcome == Z_STREAM_END) {
        if (stream_.avail_in == 0) return {};
        if (::inflateReset(&stream_) != Z_OK) return malformed("gzip", "it cannot go on");
      } else if (outcome == Z_BUF_ERROR ||
                 (outcome == Z_OK && stream_.avail_in == 0 && stream_.avail_out > 0)) {
        return malformed("gzip", "it ends early");
      } else if (outcome != Z_OK) {
        return malformed("gzip", stream_.msg != nullptr ? stream_.msg : "it is damaged");
      }
    }
  }

 private:
  z_stream stream_{};
  bool ready_ = false;
};

Status decode_gzip(std::string_view bytes, Decoded& out) { return Inflater().run(bytes, out); }

struct FreeContext {
  void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
};

Status decode_zstd(std::string_view bytes, Decoded& out) {
  const std::unique_ptr<ZSTD_DCtx, FreeContext> context(ZSTD_createDCtx());
  if (!context ||
      ZSTD_isError(ZSTD_DCtx_setParameter(context.get(), ZSTD_d_windowLogMax, kMaxWindowLog)))
    return fail(Code::internal, "no memory to decode a body");
  ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
  for (;;) {
    ZSTD_outBuffer block{out.block(), out.block_bytes(), 0};
    const std::size_t left = ZSTD_decompressStream(context.get(), &block, &in);
    if (ZSTD_isError(left)) return malformed("zstd", ZSTD_getErrorName(left));
    COEVAL_TRY(out.take(block.pos));
    if (left == 0 && in.pos == in.size) return {};
    if (in.pos == in.size && block.pos < block.size) return malformed("zstd", "it ends early");
  }
}

}  // namespace

Status decode_body(std::string_view coding, std::size_t max_bytes, std::string& body) {
  if (coding.empty() || body.empty() || is_coding(coding, "identity")) return {};
  const bool gzip = is_coding(coding, "gzip") || is_coding(coding, "x-gzip");
  if (!gzip && !is_coding(coding, "zstd"))
    return fail(Code::unsupported_encoding,
                "the header Content-Encoding says " + define::in_quotes(coding) +
                    ", which this server does not decode",
                "send the body compressed once with gzip or zstd, or as it is");
  Decoded out(max_bytes);
  COEVAL_TRY(gzip ? decode_gzip(body, out) : decode_zstd(body, out));
  body = out.finish();
  return {};
}

}  // namespace coeval::serving
