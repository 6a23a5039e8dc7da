#pragma once
#include "core/kernel.hpp"

namespace mpskit::linalg {

// How a factorization ended (MPSMatrixDecompositionStatus), as stored.
enum DecompositionStatus : std::int32_t { status_success = 0, status_failure = -1, status_singular = -2, status_non_positive_definite = -3 };

inline constexpr OperandSpec decomposition_status{
    "status", Role::output, Kind::vector, DTypes{DType::i32}, "How each factorization ended, shape (matrices,); made when omitted.", Count::one, {}, true};
inline Layout status_layout(std::int64_t matrices) { return Layout::vector(DType::i32, matrices); }
// ValueError unless status has one number for each matrix.
void require_status(std::string_view kernel, const Layout& status, std::int64_t matrices);

}  // namespace mpskit::linalg
