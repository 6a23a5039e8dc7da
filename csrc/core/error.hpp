#pragma once
#include <stdexcept>
#include <string>

// The exceptions that reach Python under the same names. A message says what was given, what is allowed and how to mend
// it, and begins with the kernel and the argument: "GaussianBlur: sigma is -2.0; allowed: 0 <= sigma <= 512 px. Pass ...".
namespace mpskit {

struct Error : std::runtime_error {
  using std::runtime_error::runtime_error;
};
struct ValueError : Error {  // a value, a shape, a state
  using Error::Error;
};
struct TypeError : Error {  // a type or dtype
  using Error::Error;
};
struct UnsupportedError : Error {  // the engine lacks this case; the text says which engine has it
  using Error::Error;
};
struct DeviceError : Error {  // the device failed while it worked; carries the system's own text
  using Error::Error;
};

}  // namespace mpskit
