#pragma once
// Which rows of which time steps a layer works on.
namespace mpskit::cpu::MPSKIT_ISA {
namespace {

using rnn::Lengths;

// Some turns of a layer, one behind the other. Their rows have numbers: turn by turn; where all sequences are of one length, in
// the order of time, so that the source is a matrix as it lies there.
struct Turns {
  std::int64_t done, count, rows, steps;  // turns before; sequences; time steps of them all
  bool is_backward;
  const Lengths* lengths;  // null: all alike

  std::int64_t rows_of(std::int64_t turn) const { return lengths ? lengths->rows_of(done + turn, 1) : rows; }
  std::int64_t all_rows() const { return lengths ? lengths->rows_of(done, count) : count * rows; }
  std::int64_t number(std::int64_t turn, std::int64_t row) const {
    if (lengths) return lengths->start(done + turn) - lengths->start(done) + row;
    return (is_backward ? count - 1 - turn : turn) * rows + row;
  }
  std::int64_t first_time() const { return is_backward ? steps - done - count : done; }  // all alike
  std::int64_t time(std::int64_t turn, std::int64_t row) const {
    turn += done;
    return !is_backward ? turn : (lengths ? lengths->length(row) : steps) - 1 - turn;
  }
  std::int64_t sequence(std::int64_t row) const { return lengths ? lengths->sequence(row) : row; }
};

// Where rows of sequences lie: by time step and sequence, or by the number that they have among some turns.
struct Rows {
  std::byte* data = nullptr;
  DType dtype = DType::f32;
  std::int64_t step_bytes = 0, row_bytes = 0;
  bool is_numbered = false;

  static Rows packed(float* data, std::int64_t rows, std::int64_t columns) {
    const std::int64_t row = columns * static_cast<std::int64_t>(sizeof(float));
    return {reinterpret_cast<std::byte*>(data), DType::f32, rows * row, row, false};
  }
  static Rows of_turns(float* data, std::int64_t columns) {
    Rows out = packed(data, 0, columns);
    out.is_numbered = true;
    return out;
  }
  explicit operator bool() const { return data != nullptr; }
  std::byte* at(std::int64_t step, std::int64_t row) const { return data + step * step_bytes + row * row_bytes; }
  std::byte* at(const Turns& turns, std::int64_t turn, std::int64_t row) const {
    return is_numbered ? data + turns.number(turn, row) * row_bytes : at(turns.time(turn, row), turns.sequence(row));
  }
  // f(number, its place) for some rows of some turns, by number.
  template <class F>
  void each(const Turns& turns, std::int64_t first, std::int64_t count, F&& f) const {
    if (is_numbered || !turns.lengths) {
      const std::int64_t rows = turns.rows, time = is_numbered ? 0 : turns.first_time();
      for (std::int64_t n = first; n < first + count; ++n) f(n, is_numbered ? data + n * row_bytes : at(time + n / rows, n % rows));
      return;
    }
    const Lengths& lengths = *turns.lengths;
    const std::int64_t before = lengths.start(turns.done);
    std::int64_t turn = lengths.turn_of(before + first);
    for (std::int64_t n = first; n < first + count; ++n) {
      while (before + n >= lengths.start(turn + 1)) ++turn;
      f(n, at(turns, turn - turns.done, before + n - lengths.start(turn)));
    }
  }
  Rows from_column(std::int64_t column) const {
    Rows r = *this;
    r.data += column * static_cast<std::int64_t>(size_of(dtype));
    return r;
  }
};
inline Rows rows_of(const View& v) { return {v.data, v.layout.dtype, v.layout.matrix_bytes(), v.layout.row_bytes(), false}; }

}  // namespace
}  // namespace mpskit::cpu::MPSKIT_ISA
