#pragma once
// Where sequences lie, and what a layer remembers from step to step.
namespace mpskit::cpu::MPSKIT_ISA {
namespace {

// Rows of all steps of a sequence.
struct Rows {
  std::byte* data = nullptr;
  DType dtype = DType::f32;
  std::int64_t step_bytes = 0, row_bytes = 0;

  static Rows packed(float* data, std::int64_t rows, std::int64_t columns) {
    const std::int64_t row = columns * static_cast<std::int64_t>(sizeof(float));
    return {reinterpret_cast<std::byte*>(data), DType::f32, rows * row, row};
  }
  explicit operator bool() const { return data != nullptr; }
  std::byte* at(std::int64_t step, std::int64_t row) const { return data + step * step_bytes + row * row_bytes; }
  Rows from_step(std::int64_t step) const {
    Rows r = *this;
    if (data) r.data = at(step, 0);
    return r;
  }
  Rows from_column(std::int64_t column) const {
    Rows r = *this;
    r.data += column * static_cast<std::int64_t>(size_of(dtype));
    return r;
  }
};
inline Rows rows_of(const View& v) { return {v.data, v.layout.dtype, v.layout.matrix_bytes(), v.layout.row_bytes()}; }

// Where a layer's outputs go, and what is added to them.
struct Result {
  Rows rows, addend;
  Result from_step(std::int64_t step) const { return {rows.from_step(step), addend.from_step(step)}; }
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

  CellState(const PackedCell& cell, std::int64_t rows, float* memory)
      : cell_(&cell), rows_(rows), stride(row_floats(cell)), gated_stride(gated_floats(cell)), memory_(memory) {
    h[0] = memory;
    h[1] = h[0] + rows * stride;
    gated = h[1] + rows * stride;
    c = gated + rows * gated_stride;
  }
  void begin(const View* given) const {
    std::fill(memory_, memory_ + floats(*cell_, rows_), 0.0f);
    if (!given) return;
    for (std::int64_t r = 0; r < rows_; ++r) {
      std::memcpy(h[0] + r * stride, given[0].row<float>(0, r), bytes());
      if (cell_->kind != Cell::Kind::lstm) continue;
      std::memcpy(c + r * cell_->units(), given[1].row<float>(0, r), bytes());
      if (cell_->sees_memory_cell) std::memcpy(h[0] + r * stride + cell_->units(), given[1].row<float>(0, r), bytes());
    }
  }
  void end(const View* wanted) const {
    for (std::int64_t r = 0; r < rows_; ++r) {
      std::memcpy(wanted[0].row<float>(0, r), h[0] + r * stride, bytes());
      if (cell_->kind == Cell::Kind::lstm) std::memcpy(wanted[1].row<float>(0, r), c + r * cell_->units(), bytes());
    }
  }

 private:
  std::size_t bytes() const { return static_cast<std::size_t>(cell_->outputs) * sizeof(float); }
  const PackedCell* cell_;
  std::int64_t rows_;

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
