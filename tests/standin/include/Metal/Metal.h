// Stand-in of Metal: the declarations that mpskit uses, implemented for tests in tests/standin/src.
#pragma once
#import <Metal/MTLDevice.h>
