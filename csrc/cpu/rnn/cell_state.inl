#pragma once
// Where a layer's outputs go, and what it remembers from step to step.
namespace mpskit::cpu::MPSKIT_ISA {
namespace {

// Where a layer's outputs go, and what is added to them.
struct Result {
  Rows rows, addend;
};

// Elements of a row, float32 or float16, to float32 and back.
inline void load_row(const Rows& rows, const std::byte* src, std::int64_t count, float* dst) {
  if (rows.dtype == DType::f32) std::memcpy(dst, src, static_cast<std::size_t>(count) * sizeof(float));
  else to_float(std::span(reinterpret_cast<const Float16*>(src), static_cast<std::size_t>(count)), dst);
}
inline void store_row(const Rows& rows, const float* src, std::int64_t count, std::byte* dst) {
  if (rows.dtype == DType::f32) std::memcpy(dst, src, static_cast<std::size_t>(count) * sizeof(float));
  else from_float(src, std::span(reinterpret_cast<Float16*>(dst), static_cast<std::size_t>(count)));
}

// h and c of one layer during one run. A row of h is padded to whole blocks and an odd number of lines, so that rows use all sets
// of a cache; where memory matrices want it, the memory cell follows.
class CellState {
 public:
  static std::int64_t row_floats(const PackedCell& c) { return ((c.units() + (c.sees_memory_cell ? c.outputs : 0)) / 16 | 1) * 16 + 16; }
  static std::int64_t gated_floats(const PackedCell& c) { return c.kind == Cell::Kind::gru ? ((c.units() + c.outputs) / 16 | 1) * 16 + 16 : 0; }
  static std::int64_t floats(const PackedCell& c, std::int64_t rows) {
    return rows * (2 * row_floats(c) + gated_floats(c) + (c.kind == Cell::Kind::lstm ? c.units() : 0));
  }

  CellState(const PackedCell& cell, std::int64_t rows, float* memory, const Lengths* lengths)
      : cell_(&cell), rows_(rows), lengths_(lengths), stride(row_floats(cell)), gated_stride(gated_floats(cell)), memory_(memory) {
    h[0] = memory;
    h[1] = h[0] + rows * stride;
    gated = h[1] + rows * stride;
    c = gated + rows * gated_stride;
  }
  void begin(const View* given) const {
    std::fill(memory_, memory_ + floats(*cell_, rows_), 0.0f);
    if (!given) return;
    for (std::int64_t r = 0; r < rows_; ++r) {
      std::memcpy(h[0] + r * stride, given[0].row<float>(0, sequence(r)), bytes());
      if (cell_->kind != Cell::Kind::lstm) continue;
      std::memcpy(c + r * cell_->units(), given[1].row<float>(0, sequence(r)), bytes());
      if (cell_->sees_memory_cell) std::memcpy(h[0] + r * stride + cell_->units(), given[1].row<float>(0, sequence(r)), bytes());
    }
  }
  void end(const View* wanted) const {
    for (std::int64_t r = 0; r < rows_; ++r) copy_end(r, wanted, 0);
  }
  // Of states after each time step those behind a sequence's end, where no step was.
  void fill_ends(const View* given, const View* wanted, bool is_backward) const {
    for (std::int64_t r = 0; r < rows_; ++r)
      for (std::int64_t t = lengths_->length(r); t < wanted[0].layout.matrices(); ++t) {
        if (!is_backward) copy_end(r, wanted, t);
        for (std::size_t i = 0; is_backward && i < (cell_->kind == Cell::Kind::lstm ? 2u : 1u); ++i) {
          if (given) std::memcpy(wanted[i].row<float>(t, sequence(r)), given[i].row<float>(0, sequence(r)), bytes());
          else std::memset(wanted[i].row<float>(t, sequence(r)), 0, bytes());
        }
      }
  }

 private:
  std::size_t bytes() const { return static_cast<std::size_t>(cell_->outputs) * sizeof(float); }
  std::int64_t sequence(std::int64_t row) const { return lengths_ ? lengths_->sequence(row) : row; }
  void copy_end(std::int64_t r, const View* wanted, std::int64_t t) const {
    // A sequence that has ended left its output where its last turn wrote.
    const float* last = lengths_ ? memory_ + (lengths_->length(r) % 2) * rows_ * stride : h[0];
    std::memcpy(wanted[0].row<float>(t, sequence(r)), last + r * stride, bytes());
    if (cell_->kind == Cell::Kind::lstm) std::memcpy(wanted[1].row<float>(t, sequence(r)), c + r * cell_->units(), bytes());
  }
  const PackedCell* cell_;
  std::int64_t rows_;
  const Lengths* lengths_;

 public:
  std::int64_t stride, gated_stride;
  float* h[2];   // before and after the step to come; they change places
  float* gated;  // GRU: r * h, and from units() on z * h
  float* c;

 private:
  float* memory_;
};

}  // namespace
}  // namespace mpskit::cpu::MPSKIT_ISA
