/* Vector table, reset and faults. */
#include <stdint.h>

#include "semihosting.h"
#include "uart.h"

#define FAULT_EXIT_STATUS 200 /* plus the exception number, 3 is the hard fault */

/* Set by link.ld. */
extern uint32_t stack_top[];
extern const uint32_t data_load[];
extern uint32_t data_start[];
extern uint32_t data_end[];
extern uint32_t bss_start[];
extern uint32_t bss_end[];

int main(void);
void reset_handler(void);

void reset_handler(void)
{
    const uint32_t *from = data_load;
    uint32_t *to;

    for (to = data_start; to < data_end; to++) {
        *to = *from++;
    }
    for (to = bss_start; to < bss_end; to++) {
        *to = 0u;
    }
    uart_init();
    semihosting_exit(main());
}

static void fault_handler(void)
{
    char number[] = "00";
    uint32_t exception;

    __asm__ volatile("mrs %0, ipsr" : "=r"(exception));
    number[0] = (char)('0' + exception / 10u % 10u);
    number[1] = (char)('0' + exception % 10u);
    uart_write("fault: exception ");
    uart_write(number);
    uart_write("\n");
    semihosting_exit(FAULT_EXIT_STATUS + (int)(exception % 50u));
}

typedef void (*handler)(void);

struct vector_table {
    uint32_t *initial_stack;
    handler handlers[15]; /* exceptions 1..15; the example enables no interrupt */
};

__attribute__((used, section(".vectors"))) static const struct vector_table vector_table = {
    stack_top,
    {
        reset_handler, fault_handler, fault_handler, fault_handler, fault_handler,
        fault_handler, 0, 0, 0, 0,
        fault_handler, fault_handler, 0, fault_handler, fault_handler,
    },
};
