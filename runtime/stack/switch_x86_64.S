/* Stack switch for x86-64, System V ABI: rbx, rbp, r12-r15, the x87 control word and mxcsr are
 * the callee's to keep; all else the compiler has saved around the call. */
        .text
        .globl  filch_context_switch
        .hidden filch_context_switch
        .type   filch_context_switch, @function
        .p2align 4
filch_context_switch:                   /* rdi: from, rsi: to */
        .cfi_startproc
        endbr64
        pushq   %rbp
        .cfi_adjust_cfa_offset 8
        pushq   %rbx
        .cfi_adjust_cfa_offset 8
        pushq   %r12
        .cfi_adjust_cfa_offset 8
        pushq   %r13
        .cfi_adjust_cfa_offset 8
        pushq   %r14
        .cfi_adjust_cfa_offset 8
        pushq   %r15
        .cfi_adjust_cfa_offset 8
        subq    $8, %rsp
        .cfi_adjust_cfa_offset 8
        stmxcsr (%rsp)
        fnstcw  4(%rsp)
        movzwl  4(%rsp), %ecx
        movq    %rsp, (%rdi)
        movq    (%rsi), %rsp            /* the same layout on the other stack */
        ldmxcsr (%rsp)
        cmpw    %cx, 4(%rsp)            /* to load this one takes long, and they rarely differ */
        jne     1f
2:      addq    $8, %rsp
        .cfi_adjust_cfa_offset -8
        popq    %r15
        .cfi_adjust_cfa_offset -8
        popq    %r14
        .cfi_adjust_cfa_offset -8
        popq    %r13
        .cfi_adjust_cfa_offset -8
        popq    %r12
        .cfi_adjust_cfa_offset -8
        popq    %rbx
        .cfi_adjust_cfa_offset -8
        popq    %rbp
        .cfi_adjust_cfa_offset -8
        popq    %rcx                    /* a ret would be predicted to go where we came from */
        .cfi_adjust_cfa_offset -8
        .cfi_register rip, rcx
        notrack jmp *%rcx
        .cfi_adjust_cfa_offset 64
        .cfi_offset rip, -8
1:      fnclex                          /* a flag of the other's would trap if that is allowed here */
        fldcw   4(%rsp)
        jmp     2b
        .cfi_endproc
        .size   filch_context_switch, . - filch_context_switch

        .globl  filch_context_start
        .hidden filch_context_start
        .type   filch_context_start, @function
filch_context_start:                    /* first "return" lands here: r12 entry, r13 argument */
        .cfi_startproc
        .cfi_undefined rip              /* unwinders stop: there is no caller */
        endbr64
        movq    %r13, %rdi
        xorl    %ebp, %ebp
        call    *%r12
        ud2                             /* entry never returns */
        .cfi_endproc
        .size   filch_context_start, . - filch_context_start

        .section .note.GNU-stack, "", @progbits
        .section .note.gnu.property, "a"
        .p2align 3
        .long   4, 16, 5                /* name size, description size, NT_GNU_PROPERTY_TYPE_0 */
        .asciz  "GNU"
        .long   0xc0000002, 4, 1, 0     /* x86 features: IBT */
