//! What plain.c does, from Rust: filch/core.h as declarations written by hand, and closures of Rust
//! as tasks and as elements.
use std::ffi::{c_void, CStr, CString};
use std::os::raw::{c_char, c_int, c_uint, c_ulonglong};
use std::ptr::{addr_of, addr_of_mut, null, null_mut};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;

const ERAISED: c_uint = 14;

#[repr(C)]
struct FilchError {
    status: c_uint,
    code: c_int,
    index: usize,
    function: *const c_char,
    message: [c_char; 120],
}

#[repr(C)]
struct Callable {
    invoke: extern "C" fn(*mut c_void, *mut c_void),
    captures_bytes: usize,
    result_bytes: usize,
    info: *const c_void,
}

#[repr(C, align(16))]
struct Closure {
    bytes: [u8; 80],
}

#[repr(C)]
struct Range {
    next: c_ulonglong,
    stop: c_ulonglong,
}

#[repr(C)]
struct Body {
    block: extern "C" fn(*const c_void, *mut Range),
    environment_bytes: usize,
    element_bytes: usize,
    info: *const c_void,
}

#[repr(C)]
#[derive(Clone, Copy)]
struct Deadline {
    clock: *const c_void,
    at: f64,
}

#[link(name = "filch", kind = "static")]
extern "C" {
    fn filch_pool_open(options: *const c_void, pool: *mut *mut c_void) -> c_uint;
    fn filch_pool_free(pool: *mut c_void) -> c_uint;
    fn filch_raise_text(code: c_int, text: *const c_char) -> c_int;
    fn filch_closure_make(
        out: *mut Closure,
        callable: *const Callable,
        captures: *const c_void,
        destroy: Option<extern "C" fn(*mut c_void)>,
    ) -> c_uint;
    fn filch_closure_release(closure: *mut Closure);
    fn filch_apply(
        pool: *mut c_void,
        closure: *const Closure,
        result: *mut c_void,
    ) -> c_uint;
    fn filch_apply_async(
        pool: *mut c_void,
        closure: *const Closure,
        future: *mut *mut c_void,
    ) -> c_uint;
    fn filch_in(seconds: f64) -> Deadline;
    fn filch_future_wait_until(future: *mut c_void, until: Deadline) -> c_uint;
    fn filch_future_ready(future: *mut c_void) -> bool;
    fn filch_future_get(future: *mut c_void, result: *mut c_void, bytes: usize) -> c_uint;
    fn filch_future_error(future: *mut c_void, error: *mut FilchError) -> c_uint;
    fn filch_future_free(future: *mut c_void);
    fn filch_parallel_for(
        pool: *mut c_void,
        n: usize,
        body: extern "C" fn(usize, *mut c_void),
        environment: *mut c_void,
    ) -> c_uint;
    fn filch_map(
        pool: *mut c_void,
        body: *const Body,
        environment: *const c_void,
        n: usize,
    ) -> c_uint;
}

/// What is captured is a pointer to the closure of Rust, which its destructor drops.
type Task = Box<dyn Fn() -> c_int + Send + Sync>;

extern "C" fn invoke(captures: *mut c_void, result: *mut c_void) {
    let task = unsafe { &**(captures as *const *const Task) };
    unsafe { *(result as *mut c_int) = task() };
}

extern "C" fn drop_task(captures: *mut c_void) {
    drop(unsafe { Box::from_raw(*(captures as *mut *mut Task)) });
}

static CALLABLE: Callable = Callable {
    invoke,
    captures_bytes: std::mem::size_of::<*mut Task>(),
    result_bytes: std::mem::size_of::<c_int>(),
    info: null(),
};
unsafe impl Sync for Callable {}

fn closure_of(task: impl Fn() -> c_int + Send + Sync + 'static) -> Closure {
    let mut made = Closure { bytes: [0; 80] };
    let boxed: *mut Task = Box::into_raw(Box::new(Box::new(task)));
    let status = unsafe {
        filch_closure_make(
            &mut made,
            &CALLABLE,
            addr_of!(boxed) as *const c_void,
            Some(drop_task),
        )
    };
    assert_eq!(status, 0);
    made
}

extern "C" fn element<F: Fn(usize) + Sync>(i: usize, environment: *mut c_void) {
    unsafe { (*(environment as *const F))(i) }
}

fn parallel_for<F: Fn(usize) + Sync>(pool: *mut c_void, n: usize, body: F) -> c_uint {
    let environment = addr_of!(body) as *mut c_void;
    unsafe { filch_parallel_for(pool, n, element::<F>, environment) }
}

#[repr(C)]
struct Arrays {
    input: *const f64,
    output: *mut f64,
}

extern "C" fn halve(environment: *const c_void, range: *mut Range) {
    unsafe {
        let arrays = &*(environment as *const Arrays);
        while (*range).next < (*range).stop {
            let i = (*range).next as usize;
            (*range).next += 1;
            *arrays.output.add(i) = *arrays.input.add(i) / 2.0;
        }
    }
}

fn check_errors(pool: *mut c_void) {
    let reason = CString::new("100 % of it").unwrap();
    let mut closure = closure_of(move || unsafe { filch_raise_text(7, reason.as_ptr()) });
    let mut error: FilchError = unsafe { std::mem::zeroed() };
    let mut result: c_int = 0;
    let to = addr_of_mut!(result) as *mut c_void;
    let mut future = null_mut();
    assert_eq!(unsafe { filch_apply(pool, &closure, to) }, ERAISED);
    assert_eq!(unsafe { filch_apply_async(pool, &closure, &mut future) }, 0);
    assert_eq!(unsafe { filch_future_get(future, to, 4) }, ERAISED);
    assert_eq!(unsafe { filch_future_error(future, &mut error) }, 0);
    unsafe { filch_future_free(future) };
    unsafe { filch_closure_release(&mut closure) };
    assert_eq!(
        (error.status, error.code, error.index),
        (ERAISED, 7, usize::MAX)
    );
    assert!(unsafe { CStr::from_ptr(error.function) }
        .to_bytes()
        .is_empty());
    assert_eq!(
        unsafe { CStr::from_ptr(error.message.as_ptr()) }.to_str(),
        Ok("100 % of it")
    );
}

/// Returns what a task has a share of.
fn check_futures(pool: *mut c_void) -> Arc<c_int> {
    let owned = Arc::new(41);
    let kept = owned.clone();
    let mut closure = closure_of(move || *kept + 1);
    let mut future = null_mut();
    assert_eq!(unsafe { filch_apply_async(pool, &closure, &mut future) }, 0);
    unsafe { filch_closure_release(&mut closure) };
    let mut result: c_int = 0;
    let to = addr_of_mut!(result) as *mut c_void;
    assert_eq!(
        unsafe { filch_future_wait_until(future, filch_in(f64::INFINITY)) },
        0
    );
    assert!(unsafe { filch_future_ready(future) });
    assert_eq!(unsafe { filch_future_get(future, to, 4) }, 0);
    unsafe { filch_future_free(future) };
    assert_eq!(result, 42);
    owned
}

fn check_loops(pool: *mut c_void) {
    let sum = AtomicUsize::new(0);
    let status = parallel_for(pool, 1000, |i| {
        sum.fetch_add(i, Ordering::Relaxed); // nothing else is told by it
    });
    assert_eq!((status, sum.into_inner()), (0, 499500));
    let input: Vec<f64> = (0..1000).map(f64::from).collect();
    let mut output = vec![0.0; 1000];
    let arrays = Arrays {
        input: input.as_ptr(),
        output: output.as_mut_ptr(),
    };
    let environment_bytes = std::mem::size_of::<Arrays>();
    let body = Body {
        block: halve,
        environment_bytes,
        element_bytes: 0,
        info: null(),
    };
    let environment = addr_of!(arrays) as *const c_void;
    assert_eq!(unsafe { filch_map(pool, &body, environment, 1000) }, 0);
    assert!(output
        .iter()
        .zip(&input)
        .all(|(half, whole)| half * 2.0 == *whole));
}

fn main() {
    let mut pool = null_mut();
    assert_eq!(unsafe { filch_pool_open(null(), &mut pool) }, 0);
    check_errors(pool);
    let owned = check_futures(pool);
    check_loops(pool);
    assert_eq!(unsafe { filch_pool_free(pool) }, 0);
    assert_eq!(Arc::strong_count(&owned), 1); // the task's was dropped
}
