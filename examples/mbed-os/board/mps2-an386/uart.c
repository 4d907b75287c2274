#include "uart.h"

#include <stdint.h>

/* CMSDK APB UART, Arm DDI 0479. */
struct cmsdk_uart {
    volatile uint32_t data;
    volatile uint32_t state;
    volatile uint32_t control;
    volatile uint32_t interrupts;
    volatile uint32_t baud_divider;
};

#define UART0 ((struct cmsdk_uart *)0x40004000u)
#define STATE_TX_FULL 1u
#define CONTROL_TX_ENABLE 1u
#define BAUD_DIVIDER_115200 217u /* of the 25 MHz system clock; the UART takes no less than 16 */

void uart_init(void)
{
    UART0->baud_divider = BAUD_DIVIDER_115200;
    UART0->control = CONTROL_TX_ENABLE;
}

void uart_write(const char *text)
{
    while (*text != '\0') {
        while ((UART0->state & STATE_TX_FULL) != 0u) {
        }
        UART0->data = (uint8_t)*text++;
    }
}
