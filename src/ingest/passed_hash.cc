#include "ingest/passed_hash.h"

#include <utility>

namespace coeval::ingest {

class PassedHash::Bytes final : public stores::ByteSource {
 public:
  Bytes(std::unique_ptr<stores::ByteSource> bytes, PassedHash& passed)
      : bytes_(std::move(bytes)), passed_(passed) {}

  Result<std::size_t> read(std::span<char> into) override {
    COEVAL_ASSIGN(const std::size_t got, bytes_->read(into));
    passed_.hash_.update({into.data(), got});
    passed_.whole_ = got == 0;
    return got;
  }
  const std::string& name() const override { return bytes_->name(); }
  std::uint64_t bytes_read() const override { return bytes_->bytes_read(); }
  std::uint64_t bytes_total() const override { return bytes_->bytes_total(); }

 private:
  std::unique_ptr<stores::ByteSource> bytes_;
  PassedHash& passed_;
};

stores::OpenBytes PassedHash::opener() {
  return [this](const std::string& path) -> Result<std::unique_ptr<stores::ByteSource>> {
    COEVAL_ASSIGN(auto raw, stores::open_raw_bytes(path));
    hash_ = data::Sha256();
    whole_ = false;
    return stores::unpacked(std::make_unique<Bytes>(std::move(raw), *this));
  };
}

}  // namespace coeval::ingest
