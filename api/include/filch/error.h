/* filch/error.h: errors that tasks raise, and what is known about them.
 *
 *     FILCH_FUNCTION(double, root, (double, x))
 *     {
 *         if (x < 0) {
 *             return filch_raise(EDOM, "no real root of %g", x), 0;
 *         }
 *         return sqrt(x);
 *     }
 */
#ifndef FILCH_ERROR_H
#define FILCH_ERROR_H

#include <filch/core.h> /* filch_error, filch_raise() */

#endif
