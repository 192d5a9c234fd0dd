#include "data/csv_records.h"

#include <algorithm>

namespace coeval::data {

bool CsvScanner::at_line_end() const {
  if (at_ >= text_.size() || text_[at_] == '\n') return true;
  return text_[at_] == '\r' && (at_ + 1 == text_.size() || text_[at_ + 1] == '\n');
}

void CsvScanner::take_line_end() {
  if (at_ < text_.size() && text_[at_] == '\r') ++at_;
  if (at_ < text_.size()) ++at_;
  ++line_;
}

bool CsvScanner::next(CsvRecord& record) {
  if (at_ >= text_.size() || unterminated_line_ != 0) return false;
  const std::size_t start = record_at_ = at_;
  record.fields.clear();
  record.fault = nullptr;
  record.line = line_;
  while (field(record)) {
  }
  if (unterminated_line_ != 0) return false;
  record.raw = text_.substr(start, at_ - start);
  take_line_end();
  return true;
}

// Reads one field and the delimiter behind it; false when the record ends there.
bool CsvScanner::field(CsvRecord& record) {
  CsvField out;
  if (at_ < text_.size() && text_[at_] == '"') {
    if (!quoted_field(record, out)) return false;
  } else {
    plain_field(record, out);
  }
  record.fields.push_back(out);
  if (at_line_end()) return false;
  ++at_;
  return true;
}

// The first fault is told.
void CsvScanner::wrong(CsvRecord& record, const char* fault) const {
  if (record.fault != nullptr) return;
  record.fault = fault;
  record.fault_at = at_ - record_at_;
  record.fault_field = record.fields.size();
}

void CsvScanner::plain_field(CsvRecord& record, CsvField& out) {
  const std::size_t start = at_;
  for (; !at_line_end() && text_[at_] != delimiter_; ++at_)
    if (text_[at_] == '"') wrong(record, "a quote inside a field that does not begin with one");
  out.text = text_.substr(start, at_ - start);
}

bool CsvScanner::quoted_field(CsvRecord& record, CsvField& out) {
  const std::size_t start = at_ + 1;
  std::size_t close = start;
  out.quoted = true;
  for (;;) {
    close = text_.find('"', close);
    if (close == std::string_view::npos) {
      unterminated_line_ = line_;
      unterminated_at_ = at_;
      unterminated_field_ = record.fields.size();
      return false;
    }
    if (close + 1 >= text_.size() || text_[close + 1] != '"') break;
    out.doubled = true;
    close += 2;
  }
  out.text = text_.substr(start, close - start);
  line_ += std::count(out.text.begin(), out.text.end(), '\n');
  at_ = close + 1;
  if (at_line_end() || text_[at_] == delimiter_) return true;
  wrong(record, "text after the closing quote of a field");
  CsvField rest;
  plain_field(record, rest);
  return true;
}

}  // namespace coeval::data
